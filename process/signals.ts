/**
 * Signals of the process.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";

/** What to do at a signal. */
export interface SignalActions {
  /** SIGINT, SIGTERM: end now. A second one ends the process at once. */
  readonly terminate: () => void;
  /** SIGQUIT: stop listening, end when the last connection has ended. */
  readonly drain?: () => void;
  /**
   * SIGHUP: open the log files again; what could not be opened, and why.
   * Absent: SIGHUP is the end of the terminal, and ends the process too,
   * unless it was started to outlive that.
   */
  readonly reopen?: () => Promise<readonly string[]>;
}

const logger = getLogger(["shadowsocks"]);

/**
 * Listens for signals. Windows has SIGINT and SIGBREAK only.
 *
 * @param actions What to do.
 * @returns Stops listening when disposed of.
 */
export function onSignals(actions: SignalActions): Disposable {
  const listeners: [Deno.Signal, () => void][] = [];
  const listen = (signal: Deno.Signal, action: () => void): void => {
    Deno.addSignalListener(signal, action);
    listeners.push([signal, action]);
  };
  // Asked first: Deno handles all signals that end it once it handles one.
  const outlivesTerminal = actions.reopen === undefined && isHangupIgnored();
  let terminating = false;
  const listenToTerminate = (signal: Deno.Signal): void =>
    listen(signal, () => {
      if (terminating) Deno.exit(0);
      terminating = true;
      logger.info("received {signal}, stopping", { signal });
      actions.terminate();
    });
  listenToTerminate("SIGINT");
  if (Deno.build.os === "windows") {
    listenToTerminate("SIGBREAK");
  } else {
    listenToTerminate("SIGTERM");
    const { drain, reopen } = actions;
    if (drain !== undefined) {
      listen("SIGQUIT", () => {
        logger.warn("received SIGQUIT, doing graceful shutting down..");
        drain();
      });
    }
    if (reopen === undefined) {
      if (outlivesTerminal) listen("SIGHUP", () => {});
      else listenToTerminate("SIGHUP");
    } else {
      listen("SIGHUP", async () => {
        for (const reason of await reopen()) {
          logger.warn("{reason}: keeping the old one", { reason });
        }
      });
    }
  }
  return {
    [Symbol.dispose]: () => {
      for (const [signal, action] of listeners.splice(0)) {
        Deno.removeSignalListener(signal, action);
      }
    },
  };
}

/**
 * Whether the process was started with SIGHUP ignored, as by `nohup`. Where the
 * system does not tell, whatever writes to a terminal was not.
 */
function isHangupIgnored(): boolean {
  try {
    const status = Deno.readTextFileSync("/proc/self/status");
    const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
    // SIGHUP is 1, the lowest bit of the mask.
    return (Number.parseInt(ignored.slice(-1), 16) & 1) === 1;
  } catch {
    return !Deno.stdout.isTerminal();
  }
}
