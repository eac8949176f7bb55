/**
 * From a checked configuration to a process: in the foreground, or in the
 * background as the option `-d` says.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Config } from "../config/mod.ts";
import { isDaemon } from "./_self.ts";
import type { AclFiles } from "./acl_files.ts";
import { ProcessError } from "./errors.ts";
import type { LogFile } from "./output.ts";
import { run } from "./run.ts";

/** What {@linkcode launch} needs besides the configuration. */
export interface LaunchOptions {
  /** The arguments of the role, for the process in the background. */
  readonly args: readonly string[];
  /** Takes what is logged. */
  readonly output: LogFile;
  /** Has read the rules with the configuration; absent: they are read. */
  readonly acls?: AclFiles | undefined;
  /** Called now and then while it serves. */
  readonly onPeriodic?: (() => void) | undefined;
}

const EXIT_FAILURE = 1;

const logger = getLogger(["shadowsocks"]);

/**
 * Does what a configuration says.
 *
 * @param config The configuration.
 * @param options The surroundings.
 * @returns The exit code.
 */
export async function launch(
  config: Config,
  options: LaunchOptions,
): Promise<number> {
  const { output, acls, onPeriodic } = options;
  if (config.daemon === undefined) {
    return await run(config, { output, acls, onPeriodic });
  }
  if (Deno.build.os === "windows") {
    logger.error("daemon mode is only supported on Unix");
    return EXIT_FAILURE;
  }
  try {
    if (isDaemon()) {
      const { runDaemon } = await import("./run_daemon.ts");
      return await runDaemon(config, options);
    }
    const { startDaemon, stopDaemon } = await import("./daemon.ts");
    if (config.daemon !== "start") {
      const code = await stopDaemon(config, output);
      if (code !== 0 || config.daemon === "stop") return code;
    }
    const code = await startDaemon(config, options);
    if (code !== 0 && config.daemon === "restart") {
      logger.error(
        "nothing runs now: the new process did not start",
      );
    }
    return code;
  } catch (error) {
    if (!(error instanceof ProcessError)) throw error;
    logger.error("{reason}", { reason: error.message });
    return EXIT_FAILURE;
  }
}
