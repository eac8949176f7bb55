/**
 * The process in the foreground that starts and stops one in the background.
 *
 * ```text
 * -d start     spawns itself; the child locks the pid file, opens the log,
 *              binds, changes the user, leaves the session and says "started";
 *              its output up to there is shown, or up to its failure: exit 1
 * -d stop      SIGTERM, at most 10 s; exit 0 also if nothing runs
 * -d restart   stop, then start
 * ```
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Config } from "../config/mod.ts";
import { readPidFile } from "./_pid_file.ts";
import { daemonCommand, isAlive } from "./_self.ts";
import { ProcessError, reasonOf } from "./errors.ts";
import type { LogFile } from "./output.ts";

/** Options of {@linkcode startDaemon}. */
export interface DaemonOptions {
  /** The arguments of the role. */
  readonly args: readonly string[];
  /** Takes what the process in the background says. */
  readonly output: LogFile;
}

/** The line by which a daemon tells that it runs. */
const STARTED = "started";
/** Milliseconds for a daemon to start. */
const START_TIMEOUT = 30_000;
/** Milliseconds for a daemon to end, and between two looks. */
const STOP_TIMEOUT = 10_000;
const STOP_INTERVAL = 50;

const EXIT_FAILURE = 1;

const logger = getLogger(["shadowsocks"]);

/**
 * Starts this program in the background.
 *
 * @param config The configuration.
 * @param options The arguments, and where output goes.
 * @returns The exit code: 0 once it serves.
 * @throws {ProcessError} If it does not answer.
 */
export async function startDaemon(
  config: Pick<Config, "role">,
  options: DaemonOptions,
): Promise<number> {
  const { program, args, env } = daemonCommand(config.role, options.args);
  const child = new Deno.Command(program, {
    args: [...args],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const { output } = options;
  const timer = setTimeout(() => child.kill("SIGKILL"), START_TIMEOUT);
  const complaints = show(child.stderr, output);
  try {
    if (await show(child.stdout, output)) return 0;
    await complaints;
    const { code, signal } = await child.status;
    if (signal !== null) {
      throw new ProcessError(`Cannot start daemon: it ended by ${signal}`);
    }
    return code === 0 ? EXIT_FAILURE : code;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Ends the process in the background.
 *
 * @param files The pid file.
 * @param output Takes the word that it has ended.
 * @returns The exit code: 0 if it has ended or did not run.
 * @throws {ProcessError} If the pid file cannot be read.
 */
export async function stopDaemon(
  files: Pick<Config, "pidFile">,
  output: LogFile,
): Promise<number> {
  const { pidFile } = files;
  const state = readPidFile(pidFile);
  if (state?.pid === undefined || !state.isLocked || !terminate(state.pid)) {
    logger.error("not running");
    return 0;
  }
  const { pid } = state;
  const deadline = performance.now() + STOP_TIMEOUT;
  while (isAlive(pid)) {
    if (performance.now() >= deadline) {
      logger.error("timed out when stopping pid {pid}", { pid });
      return EXIT_FAILURE;
    }
    await new Promise((resolve) => setTimeout(resolve, STOP_INTERVAL));
  }
  output.print("stopped\n");
  remove(pidFile);
  return 0;
}

/**
 * Says that a pid file belongs to another process.
 *
 * @param path The pid file.
 */
export function logAlreadyStarted(path: string): void {
  const pid = readPidFile(path)?.pid;
  if (pid === undefined) logger.error("already started");
  else logger.error("already started at pid {pid}", { pid });
}

/**
 * Shows lines up to the word that a daemon runs.
 *
 * @returns Whether that came; false at the end of the stream.
 */
async function show(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  output: LogFile,
): Promise<boolean> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      output.print(`${line}\n`);
      if (line === STARTED) return true;
    }
  }
  if (rest !== "") output.print(`${rest}\n`);
  return false;
}

/** Sends SIGTERM; false if there is no such process. */
function terminate(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGTERM");
    return true;
  } catch (error) {
    if (!isAlive(pid)) return false;
    throw new ProcessError(
      `Cannot stop pid ${pid}: ${reasonOf(error)}`,
    );
  }
}

/** The daemon has most likely done it itself. */
function remove(path: string): void {
  try {
    // Another one may have been started meanwhile.
    if (readPidFile(path)?.isLocked === false) Deno.removeSync(path);
  } catch {
    // It does not matter: nobody holds it.
  }
}
