/**
 * The process in the background.
 *
 * @module
 */

import type { Config } from "../config/mod.ts";
import { PidFile } from "./_pid_file.ts";
import { openPosix, prepareRedirect, redirectOutput } from "./_posix.ts";
import type { AclFiles } from "./acl_files.ts";
import { logAlreadyStarted } from "./daemon.ts";
import type { LogFile } from "./output.ts";
import { run } from "./run.ts";

/** Exit code when another process has the pid file. */
const EXIT_FAILURE = 1;

/** The line by which a daemon tells that it runs. */
const STARTED = new TextEncoder().encode("started\n");

/**
 * Runs a role in the background. Whoever started it reads its standard output
 * up to the word that it runs.
 *
 * @param config What to do.
 * @param options `output` takes what is logged; `acls` has read the rules
 * with the configuration; `onPeriodic` is called now and then.
 * @returns The exit code.
 */
export async function runDaemon(
  config: Config,
  { output, acls, onPeriodic }: {
    readonly output: LogFile;
    readonly acls?: AclFiles | undefined;
    readonly onPeriodic?: (() => void) | undefined;
  },
): Promise<number> {
  using pidFile = PidFile.lock(config.pidFile);
  if (pidFile === undefined) {
    logAlreadyStarted(config.pidFile);
    return EXIT_FAILURE;
  }
  output.open(config.logFile);
  let redirect: (path: string) => void = redirectOutput;
  return await run(config, {
    output,
    acls,
    onPeriodic,
    onBound: () => {
      // The user may not be allowed to open it any more.
      redirect = prepareRedirect(config.logFile);
    },
    onReady: async () => {
      const posix = openPosix();
      posix.setsid();
      // Whoever reads the word finds the process as it will be.
      const starter = posix.dup(1);
      await output.detach((path) => {
        redirect(path);
        redirect = redirectOutput;
      });
      posix.write(starter, STARTED, STARTED.length);
      posix.close(starter);
    },
    // The ports are free, so that the next daemon may have the file.
    onDrain: () => pidFile[Symbol.dispose](),
  });
}
