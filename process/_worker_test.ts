/**
 * Tests of a worker as a real thread.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Config } from "../config/mod.ts";
import { readExactly, withTimeout, writeAll } from "../tests/support/mod.ts";
import { testConfig } from "./_config_fixture.ts";
import type { WorkerCommand, WorkerReport } from "./_worker_messages.ts";

type Listening = Extract<WorkerReport, { kind: "listening" }>["listening"];

/** A worker and what it has reported. */
class WorkerFixture implements Disposable {
  readonly #worker = new Worker(new URL("./_worker.ts", import.meta.url), {
    type: "module",
  });
  readonly reports: WorkerReport[] = [];
  #arrived = Promise.withResolvers<void>();

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<WorkerReport>): void => {
      this.reports.push(data);
      this.#arrived.resolve();
      this.#arrived = Promise.withResolvers();
    };
  }

  tell(command: WorkerCommand): void {
    this.#worker.postMessage(command);
  }

  /** Makes it listen. */
  async start(config: Config, listening?: Listening): Promise<Listening> {
    this.tell({
      kind: "start",
      config,
      listening,
      salts: undefined,
      descriptors: undefined,
    });
    return (await this.next("listening")).listening;
  }

  /** The first report of a kind. */
  async next<Kind extends WorkerReport["kind"]>(
    kind: Kind,
  ): Promise<WorkerReport & { readonly kind: Kind }> {
    for (;;) {
      const found = this.reports.find((
        report,
      ): report is WorkerReport & { readonly kind: Kind } =>
        report.kind === kind
      );
      if (found !== undefined) return found;
      await withTimeout(this.#arrived.promise, `a worker's ${kind}`);
    }
  }

  /** All that it has logged. */
  get log(): string {
    return this.#texts("log").join("");
  }

  /** Its lines of the access log. */
  get access(): string[] {
    return this.#texts("access");
  }

  #texts(kind: "log" | "access"): string[] {
    return this.reports
      .map((report) => report.kind === kind ? report.text : "")
      .filter((text) => text !== "");
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

Deno.test("a worker reports the reason when it cannot listen", async () => {
  using worker = new WorkerFixture();
  worker.tell({
    kind: "start",
    config: testConfig("ssserver", { libopenssl: "/nowhere/lib.so" }),
    listening: undefined,
    salts: undefined,
    descriptors: undefined,
  });
  assertMatch((await worker.next("failed")).reason, /\/nowhere\/lib\.so/);
});

Deno.test("a worker ends when it is terminated before it serves", async () => {
  using worker = new WorkerFixture();
  await worker.start(testConfig("ssserver"));
  worker.tell({ kind: "terminate" });
  await worker.next("ended");
});

Deno.test("a worker ends when it is terminated before it listens", async () => {
  using worker = new WorkerFixture();
  worker.tell({
    kind: "start",
    config: testConfig("ssserver"),
    listening: undefined,
    salts: undefined,
    descriptors: undefined,
  });
  worker.tell({ kind: "terminate" });
  await worker.next("ended");
});

Deno.test("a worker reports no lines when the configuration has no access log", async () => {
  using worker = new WorkerFixture();
  const [listening] = await worker.start(testConfig("sslocal"));
  worker.tell({ kind: "serve" });
  const conn = await greet(listening!.port);
  worker.tell({ kind: "drain" });
  await worker.next("closed");
  conn.close();
  await worker.next("ended");
  assertEquals(worker.access, []);
});

if (Deno.build.os === "linux") {
  Deno.test("workers share the connections of a port", async () => {
    const config = testConfig("sslocal", {
      accessLog: { file: "-", format: "json" },
    });
    using first = new WorkerFixture();
    using second = new WorkerFixture();
    const listening = await first.start(config);
    assertEquals(await second.start(config, listening), listening);
    const { port } = listening[0]!;
    for (const worker of [first, second]) worker.tell({ kind: "serve" });
    // All go to one worker once in 2 ** 63 runs.
    const open = await Promise.all(
      Array.from({ length: CONNECTIONS }, () => greet(port)),
    );
    for (const worker of [first, second]) {
      worker.tell({ kind: "drain" });
      await worker.next("closed");
      assert(!worker.reports.some(({ kind }) => kind === "ended"));
    }
    for (const conn of open) conn.close();
    let total = 0;
    for (const worker of [first, second]) {
      await worker.next("ended");
      const { access } = worker;
      assert(access.length > 0, "it served nobody");
      for (const line of access) {
        assertMatch(line, /^\{.*\}\n$/);
        assertEquals(JSON.parse(line).listener, `mixed:${port}`);
      }
      total += access.length;
      assertMatch(worker.log, /INFO +worker started\n/);
    }
    assertEquals(total, CONNECTIONS);
    assertMatch(first.log, /starting local at/);
    assert(!second.log.includes("starting local at"), second.log);
  });
}

const CONNECTIONS = 64;
const GREETING = Uint8Array.of(5, 1, 0);

/** Begins to talk SOCKS5. */
async function greet(port: number): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await writeAll(conn, GREETING);
  assertEquals(await readExactly(conn, 2), Uint8Array.of(5, 0));
  return conn;
}
