/**
 * Tests of the pool on threads that only record what they are told.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { findMethod, openProviders } from "../crypto/mod.ts";
import { makePoller } from "../loop/mod.ts";
import { KeptOutput, testConfig } from "./_config_fixture.ts";
import type { WorkerCommand, WorkerReport } from "./_worker_messages.ts";
import { ProcessError } from "./errors.ts";
import { WorkerPool, type WorkerThread } from "./worker_pool.ts";

const LISTENING = [{ host: "127.0.0.1", port: 4711 }];

// Libraries stay loaded: now, so that no test is said to leak them.
(await makePoller())[Symbol.dispose]();
await (await openProviders()).forMethod(findMethod("aes-256-gcm")!);

/** A thread that does nothing. */
class FakeThread implements WorkerThread {
  onmessage: ((event: MessageEvent) => void) | null = null;
  onerror: ((event: ErrorEvent) => void) | null = null;
  readonly commands: WorkerCommand[] = [];
  terminated = false;

  postMessage(command: unknown): void {
    this.commands.push(command as WorkerCommand);
  }

  terminate(): void {
    this.terminated = true;
  }

  report(data: WorkerReport): void {
    this.onmessage?.(new MessageEvent("message", { data }));
  }

  die(message: string): void {
    this.onerror?.(new ErrorEvent("error", { message, cancelable: true }));
  }

  get kinds(): string[] {
    return this.commands.map(({ kind }) => kind);
  }
}

/** A pool, and the threads that it makes. */
class PoolFixture implements Disposable {
  readonly output: KeptOutput = new KeptOutput();
  readonly access: string[] = [];
  readonly threads: FakeThread[] = [];
  readonly pool: WorkerPool;
  #awaited = Promise.withResolvers<void>();

  constructor(workers: number) {
    this.pool = new WorkerPool(testConfig("ssserver", { workers }), {
      output: this.output,
      onAccess: (line) => this.access.push(line),
      makeWorker: () => {
        const thread = new FakeThread();
        this.threads.push(thread);
        // The pool has its handlers when it waits for the next report.
        queueMicrotask(() => {
          this.#awaited.resolve();
          this.#awaited = Promise.withResolvers();
        });
        return thread;
      },
    });
  }

  /** Settles when that many threads were made. */
  async made(count: number): Promise<FakeThread[]> {
    while (this.threads.length < count) await this.#awaited.promise;
    return this.threads;
  }

  /** Starts the pool, every thread listening. */
  async start(workers: number): Promise<FakeThread[]> {
    const starting = this.pool.start();
    const [first] = await this.made(1);
    first!.report({ kind: "listening", listening: LISTENING });
    for (const thread of (await this.made(workers)).slice(1)) {
      thread.report({ kind: "listening", listening: LISTENING });
    }
    await starting;
    return this.threads;
  }

  [Symbol.dispose](): void {
    this.pool[Symbol.dispose]();
  }
}

Deno.test("WorkerPool.start() gives the ports of the first worker to the others", async () => {
  using fixture = new PoolFixture(3);
  const starting = fixture.pool.start();
  const [first] = await fixture.made(1);
  assertEquals(fixture.threads.length, 1);
  first!.report({ kind: "listening", listening: LISTENING });
  const threads = await fixture.made(3);
  const given = threads.map(({ commands: [start] }) =>
    start?.kind === "start" ? start.listening : start
  );
  assertEquals(given, [undefined, LISTENING, LISTENING]);
  for (const thread of threads.slice(1)) {
    thread.report({ kind: "listening", listening: LISTENING });
  }
  await starting;
});

Deno.test("WorkerPool.start() throws when a worker fails", async () => {
  using fixture = new PoolFixture(2);
  const starting = fixture.pool.start();
  const [first] = await fixture.made(1);
  first!.report({ kind: "failed", reason: "Cannot bind" });
  await assertRejects(() => starting, ProcessError, "Cannot bind");
});

Deno.test("WorkerPool.serve() settles when the last worker has ended", async () => {
  using fixture = new PoolFixture(2);
  const [first, second] = await fixture.start(2);
  let served = false;
  const serving = fixture.pool.serve().then(() => served = true);
  assertEquals(first!.kinds, ["start", "serve"]);
  assertEquals(second!.kinds, ["start", "serve"]);
  second!.report({ kind: "ended" });
  await Promise.resolve();
  assertEquals(served, false);
  first!.report({ kind: "ended" });
  await serving;
});

Deno.test("WorkerPool.serve() throws when a worker dies", async () => {
  using fixture = new PoolFixture(2);
  const [, second] = await fixture.start(2);
  const serving = fixture.pool.serve();
  second!.die("Uncaught TypeError");
  await assertRejects(() => serving, ProcessError, "Uncaught TypeError");
});

Deno.test("WorkerPool writes what its workers log", async () => {
  using fixture = new PoolFixture(2);
  const [first, second] = await fixture.start(2);
  first!.report({ kind: "log", text: "one\n" });
  second!.report({ kind: "log", text: "two\n" });
  assertEquals(fixture.output.text, "one\ntwo\n");
});

Deno.test("WorkerPool passes on the lines of its workers' access logs", async () => {
  using fixture = new PoolFixture(2);
  const [first, second] = await fixture.start(2);
  first!.report({ kind: "access", text: "one\n" });
  second!.report({ kind: "access", text: "two\n" });
  first!.report({ kind: "access", text: "three\n" });
  assertEquals(fixture.access, ["one\n", "two\n", "three\n"]);
  assertEquals(fixture.output.text, "");
});

Deno.test("WorkerPool.drain() settles when no worker listens", async () => {
  using fixture = new PoolFixture(2);
  const [first, second] = await fixture.start(2);
  let drained = false;
  const draining = fixture.pool.drain().then(() => drained = true);
  assertEquals(first!.kinds.at(-1), "drain");
  assertEquals(second!.kinds.at(-1), "drain");
  first!.report({ kind: "closed" });
  await Promise.resolve();
  assertEquals(drained, false);
  second!.report({ kind: "closed" });
  await draining;
});

Deno.test("WorkerPool.terminate() reaches workers that are not made yet", async () => {
  using fixture = new PoolFixture(2);
  const starting = fixture.pool.start();
  const [first] = await fixture.made(1);
  fixture.pool.terminate();
  assertEquals(first!.kinds, ["start", "terminate"]);
  first!.report({ kind: "ended" });
  const [, second] = await fixture.made(2);
  assertEquals(second!.kinds, ["start", "terminate"]);
  second!.report({ kind: "ended" });
  await starting;
  await fixture.pool.serve();
});

Deno.test("WorkerPool ends its threads when it is disposed of", async () => {
  const fixture = new PoolFixture(2);
  const threads = await fixture.start(2);
  fixture[Symbol.dispose]();
  assertEquals(threads.map(({ terminated }) => terminated), [true, true]);
});
