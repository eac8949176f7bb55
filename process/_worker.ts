/**
 * A worker: the thread of one loop that shares its ports with those of the
 * others. It knows no signals and writes no files; the main thread does.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { setUpLog } from "../config/mod.ts";
import { SocketError } from "../loop/mod.ts";
import { withAdvice } from "./_advice.ts";
import type { WorkerCommand, WorkerReport } from "./_worker_messages.ts";
import { RelayLoop } from "./relay_loop.ts";

/** The global scope of a worker, as far as it is used. */
interface WorkerScope {
  postMessage(report: WorkerReport): void;
  onmessage: ((event: MessageEvent<WorkerCommand>) => void) | null;
  close(): void;
}

const scope = globalThis as unknown as WorkerScope;
const logger = getLogger(["shadowsocks"]);

let relay: RelayLoop | undefined;

scope.onmessage = ({ data: command }): void => {
  switch (command.kind) {
    case "start":
      work(command).catch(async (error: unknown) => {
        const { message, stack } = error as Error;
        logger.debug("{stack}", { stack });
        const reason = error instanceof SocketError
          ? await withAdvice(error)
          : message;
        scope.postMessage({ kind: "failed", reason });
      });
      return;
    case "serve":
      onServe();
      return;
    case "drain":
      isOpen.then(() => relay?.drain())
        .then(() => scope.postMessage({ kind: "closed" }));
      return;
    case "terminate":
      isOpen.then(() => relay?.terminate());
      onServe();
      return;
    default:
      command satisfies never;
  }
};

/** Settles when `relay` is there: a command may come before. */
const { promise: isOpen, resolve: onOpen } = Promise.withResolvers<void>();
const { promise: mayServe, resolve: onServe } = Promise.withResolvers<void>();

async function work(
  command: Extract<WorkerCommand, { kind: "start" }>,
): Promise<void> {
  const { config } = command;
  const limiter = setUpLog({
    write: (text) => scope.postMessage({ kind: "log", text }),
  }, config);
  {
    using own = await RelayLoop.open(config, {
      reusePort: true,
      announce: command.listening === undefined,
      listening: command.listening ?? [],
      salts: command.salts,
      descriptors: command.descriptors,
      onPeriodic: () => limiter.flush(),
      onAccess: (text) => scope.postMessage({ kind: "access", text }),
    });
    relay = own;
    onOpen();
    await own.start();
    scope.postMessage({ kind: "listening", listening: own.listening });
    await mayServe;
    logger.info("worker started");
    await own.serve();
    relay = undefined;
  }
  scope.postMessage({ kind: "ended" });
  scope.close();
}
