/**
 * A role as a process: its signals, its user, its end.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Config, LocalConfig } from "../config/mod.ts";
import { CipherError } from "../crypto/mod.ts";
import { SocketError } from "../loop/mod.ts";
import { AccessOutput } from "./_access_output.ts";
import { withAdvice } from "./_advice.ts";
import { checkDescriptors, shareOfDescriptors } from "./_descriptors.ts";
import type { AclFiles } from "./acl_files.ts";
import { ProcessError } from "./errors.ts";
import type { ProcessOutput } from "./output.ts";
import { RelayLoop, type Serving } from "./relay_loop.ts";
import type { SaltTable, SharedSalts } from "./salts/mod.ts";
import { onSignals, type SignalActions } from "./signals.ts";

/** Options of {@linkcode run}. */
export interface RunOptions {
  /** Takes the lines of workers, and is opened again at SIGHUP. */
  readonly output: ProcessOutput;
  /** Has read the rules with the configuration; absent: they are read. */
  readonly acls?: AclFiles | undefined;
  /** Called when everything listens, before the user is set. */
  readonly onBound?: () => void;
  /** Called when everything listens and the user is set. */
  readonly onReady?: () => Promise<void>;
  /** Called when SIGQUIT has closed the listeners. */
  readonly onDrain?: () => void;
  /** Called now and then while one loop serves; workers have their own. */
  readonly onPeriodic?: (() => void) | undefined;
}

const logger = getLogger(["shadowsocks"]);

/** Exit code when the role could not be started. */
const EXIT_FAILURE = 1;

/**
 * Runs a role until a signal ends it.
 *
 * @param config What to do.
 * @param options Its surroundings.
 * @returns The exit code.
 */
export async function run(
  config: Config,
  options: RunOptions,
): Promise<number> {
  const { output, onBound, onReady, onDrain } = options;
  try {
    const descriptors = checkDescriptors();
    await using access = new AccessOutput(config.accessLog?.file, output);
    using salts = await openSalts(config);
    using serving = await makeServing(config, {
      ...options,
      salts: salts?.table,
      descriptors,
      onAccess: (line) => access.write(line),
    });
    using _signals = onSignals({
      terminate: () => serving.terminate(),
      drain: () => {
        serving.drain().then(onDrain);
      },
      ...reopenOf([access, output]),
    });
    await serving.start();
    onBound?.();
    if (config.user !== undefined) {
      const { setUser } = await import("./_user.ts");
      const logs = [output.path, access.path];
      setUser(config.user, logs.filter((path) => path !== undefined));
    }
    await onReady?.();
    await serving.serve();
    return 0;
  } catch (error) {
    if (!isExpected(error)) throw error;
    const text = error instanceof SocketError
      ? await withAdvice(error)
      : error.message;
    for (const reason of text.split("\n")) {
      logger.error("{reason}", { reason });
    }
    return EXIT_FAILURE;
  }
}

/** What SIGHUP does, if any of these has a file. */
function reopenOf(
  logs: readonly Pick<ProcessOutput, "path" | "reopen">[],
): Pick<SignalActions, "reopen"> {
  if (logs.every(({ path }) => path === undefined)) return {};
  return {
    reopen: async () => {
      const reasons = await Promise.all(logs.map((log) => log.reopen()));
      return reasons.filter((reason) => reason !== undefined);
    },
  };
}

function isExpected(error: unknown): error is Error {
  return error instanceof SocketError || error instanceof CipherError ||
    error instanceof ProcessError;
}

/**
 * Opens the memory of salts where several share it: the processes of one
 * `state_dir`, or the workers of a server. Nobody else loads the table.
 */
async function openSalts(config: Config): Promise<SharedSalts | undefined> {
  const { replay, locals, workers } = config;
  const isByWorkers = replay === "memory" && locals.length === 0 && workers > 1;
  if (replay !== "persist" && !isByWorkers) return undefined;
  const { openSharedSalts } = await import("./salts/mod.ts");
  return openSharedSalts(config);
}

/** Options of {@linkcode makeServing}. */
interface ServingOptions extends RunOptions {
  readonly onAccess: (line: string) => void;
  readonly salts: SaltTable | undefined;
  /** All that the process may still open; undefined: not known. */
  readonly descriptors: number | undefined;
}

async function makeServing(
  config: Config,
  options: ServingOptions,
): Promise<Serving> {
  const { descriptors } = options;
  const shareOf = (loops: number): ServingOptions => ({
    ...options,
    descriptors: shareOfDescriptors(descriptors, loops),
  });
  const reason = await reasonForOneLoop(config);
  if (reason === undefined) {
    const { WorkerPool } = await import("./worker_pool.ts");
    return new WorkerPool(config, shareOf(config.workers));
  }
  if (reason !== "") logger.warn("{reason}", { reason });
  return await RelayLoop.open(config, shareOf(1));
}

/** Why there are no workers, `""` if nobody asked; undefined: there are. */
async function reasonForOneLoop(config: Config): Promise<string | undefined> {
  if (config.workers <= 1) return "";
  if (config.managerAddress !== undefined) {
    return "workers are not used with a manager: serving with one";
  }
  if (config.locals.some(needsOneLoop)) {
    return "workers do not know each other's UDP associations, which those of " +
      "users must be: serving with one; with mode tcp_only they are used";
  }
  const { WorkerPool } = await import("./worker_pool.ts");
  if (await WorkerPool.isAvailable(config)) return undefined;
  return "workers cannot share the ports here, serving with one; " +
    "on Linux they can with the epoll event loop";
}

/**
 * The kernel gives the datagrams of a client to any of the workers, and the
 * connection that says whose they are to one.
 */
function needsOneLoop({ protocol, mode, users }: LocalConfig): boolean {
  return users.length > 0 && mode !== "tcp_only" && protocol !== "http";
}
