/**
 * Groups of real servers: one is dead, one slow, one has another password.
 *
 * @module
 */

import { assert, assertEquals, assertLess } from "@std/assert";
import {
  accessLine,
  type ConfigValues,
  echoTarget,
  Forwarder,
  freePort,
  HttpOrigin,
  listeningPorts,
  PASSWORD,
  readExactly,
  type RoleProcess,
  seededBytes,
  socks5Connect,
  type Socks5Datagrams,
  socks5UdpAssociate,
  spawnRole,
  type Target,
  UdpEcho,
  withTimeout,
  writeAll,
} from "../support/mod.ts";
import { OPEN_PORT, SERVER_KEYS } from "./_mixed_fixture.ts";

/** Milliseconds that the slow server needs longer for an answer. */
const DELAY = 250;
/** Milliseconds within which another member serves after a server's death. */
const MOVED_WITHIN = 3000;
/** Milliseconds within which a server that is back is the fastest again. */
const COMEBACK_WITHIN = 15_000;
/** Milliseconds after which a datagram that was not answered is sent again. */
const RESEND = 250;

/** The groups, each with a local of its own, in this order. */
const STRATEGIES = [
  "failover",
  "latency",
  "round-robin",
  "select",
  "sticky",
] as const;
type Strategy = typeof STRATEGIES[number];

/** Servers good, slow, dead and wrong, and a local for each strategy. */
class Groups implements AsyncDisposable {
  readonly echo = echoTarget();
  readonly datagrams = new UdpEcho();
  readonly #stack: AsyncDisposableStack;
  readonly #goodPort: number;
  readonly #ports: ReadonlyMap<Strategy, number>;
  readonly #local: RoleProcess;
  #good: RoleProcess;

  private constructor(parts: {
    readonly stack: AsyncDisposableStack;
    readonly good: RoleProcess;
    readonly local: RoleProcess;
    readonly ports: readonly number[];
  }) {
    this.#stack = parts.stack;
    this.#good = parts.good;
    this.#goodPort = parts.good.port;
    this.#local = parts.local;
    this.#ports = new Map(
      STRATEGIES.map((strategy, i) => [strategy, parts.ports[i]!]),
    );
  }

  static async start(): Promise<Groups> {
    await using stack = new AsyncDisposableStack();
    const page = stack.use(new HttpOrigin());
    // The one that will die and come back has a port that it finds again.
    const [good, slow, wrong] = await Promise.all([
      spawnRole("ssserver", {
        config: { ...SERVER_KEYS, server_port: freePort() },
      }),
      spawnRole("ssserver", { config: SERVER_KEYS }),
      spawnRole("ssserver", { config: { ...SERVER_KEYS, password: "other" } }),
    ]);
    stack.use(slow!);
    stack.use(wrong!);
    const forwarder = stack.use(new Forwarder(slow!.port));
    forwarder.delay = DELAY;
    const server = { server: "127.0.0.1", password: PASSWORD };
    const local = stack.use(
      await spawnRole("sslocal", {
        config: {
          method: "aes-256-gcm",
          access_log: { file: "-", format: "json" },
          servers: [
            { ...server, name: "dead", server_port: freePort() },
            { ...server, name: "wrong", server_port: wrong!.port },
            { ...server, name: "good", server_port: good!.port },
            // Its datagrams need no forwarder: no strategy measures them.
            {
              ...server,
              name: "slow",
              server_port: forwarder.port,
              udp_weight: 0,
            },
            {
              ...server,
              name: "spare",
              server_port: slow!.port,
              tcp_weight: 0,
            },
          ],
          groups: STRATEGIES.map((strategy) => groupOf(strategy, page)),
          locals: STRATEGIES.map((outbound) => ({ ...OPEN_PORT, outbound })),
        },
      }),
    );
    const ports = await listeningPorts(local, STRATEGIES.length);
    return new Groups({ stack: stack.move(), good: good!, local, ports });
  }

  /** The program of the local. */
  get program(): RoleProcess["program"] {
    return this.#local.program;
  }

  port(strategy: Strategy): number {
    return this.#ports.get(strategy)!;
  }

  /** Makes a connection; returns the server that it went by. */
  async serverOf(
    strategy: Strategy,
    target: Target = this.echo,
  ): Promise<string> {
    using conn = await socks5Connect(this.port(strategy), target);
    const bytes = seededBytes(100, 1);
    await writeAll(conn, bytes);
    const back = await withTimeout(readExactly(conn, 100), "the echo", 10_000);
    assertEquals(back, bytes);
    await conn.closeWrite();
    const client = `127.0.0.1:${conn.localAddr.port}`;
    return (await accessLine(this.program, { client })).outbound;
  }

  async kill(): Promise<void> {
    await this.#good.program.stop("SIGKILL");
  }

  async revive(): Promise<void> {
    const dead = this.#good;
    this.#good = await spawnRole("ssserver", {
      config: { ...SERVER_KEYS, server_port: this.#goodPort },
    });
    await dead[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#good[Symbol.asyncDispose]();
    await this.#stack.disposeAsync();
    await this.echo[Symbol.asyncDispose]();
    await this.datagrams[Symbol.asyncDispose]();
  }
}

function groupOf(strategy: Strategy, page: HttpOrigin): ConfigValues {
  const probes = { probe_url: `${page.url}/probe`, probe_interval: 1 };
  const none = { probe_url: "" };
  return {
    name: strategy,
    strategy,
    ...strategy === "failover" || strategy === "latency" ? probes : none,
    members: strategy === "select"
      ? ["dead", "good", "slow"]
      : strategy === "round-robin" || strategy === "sticky"
      ? ["good", "slow"]
      : ["dead", "wrong", "good", "slow", "spare"],
    ...strategy === "select" ? { selected: "good" } : {},
  };
}

/** Sends a datagram until it is answered; returns how long that took. */
async function askUntilAnswered(
  association: Socks5Datagrams,
  target: Target,
): Promise<number> {
  const started = performance.now();
  const answer = association.receive();
  const timer = setInterval(() => {
    association.send(target, seededBytes(80, 2)).catch(() => {});
  }, RESEND);
  try {
    await association.send(target, seededBytes(80, 2));
    await withTimeout(answer, "an answer", 10_000);
  } finally {
    clearInterval(timer);
  }
  return performance.now() - started;
}

Deno.test("groups serve by the members that work", async (t) => {
  await using groups = await Groups.start();
  const { program } = groups;

  await t.step("select takes what is selected", async () => {
    for (let i = 0; i < 3; i++) {
      assertEquals(await groups.serverOf("select"), "good");
    }
  });

  await t.step("round-robin takes turns", async () => {
    const servers: string[] = [];
    for (let i = 0; i < 6; i++) {
      servers.push(await groups.serverOf("round-robin"));
    }
    for (let i = 1; i < servers.length; i++) {
      assert(servers[i] !== servers[i - 1], servers.join());
    }
  });

  await t.step("sticky takes the same for the same host", async () => {
    const first = await groups.serverOf("sticky");
    for (let i = 0; i < 4; i++) {
      assertEquals(await groups.serverOf("sticky"), first);
    }
    if (Deno.build.os !== "linux") return;
    const servers = new Set<string>();
    for (let host = 2; host < 18 && servers.size < 2; host++) {
      using listener = Deno.listen({ hostname: `127.0.0.${host}`, port: 0 });
      const { addr } = listener as Deno.TcpListener;
      const serving = listener.accept();
      using conn = await socks5Connect(groups.port("sticky"), addr);
      await writeAll(conn, seededBytes(10, 1));
      (await serving).close();
      const client = `127.0.0.1:${conn.localAddr.port}`;
      conn.closeWrite().catch(() => {});
      servers.add((await accessLine(program, { client })).outbound);
    }
    assertEquals(servers.size, 2, "all hosts went one way");
  });

  for (const server of ["dead", "wrong"]) {
    await program.waitFor(new RegExp(`server ${server} is down: `));
  }

  await t.step("failover and latency take the good one", async () => {
    for (const strategy of ["failover", "latency"] as const) {
      for (let i = 0; i < 3; i++) {
        assertEquals(await groups.serverOf(strategy), "good", strategy);
      }
    }
  });

  await t.step("another serves within 3 s after a death", async () => {
    using association = await socks5UdpAssociate(groups.port("failover"));
    using other = await socks5UdpAssociate(groups.port("latency"));
    await askUntilAnswered(association, groups.datagrams);
    await askUntilAnswered(other, groups.datagrams);
    await groups.kill();
    const started = performance.now();
    const [failover, latency, ...times] = await Promise.all([
      groups.serverOf("failover"),
      groups.serverOf("latency"),
      askUntilAnswered(association, groups.datagrams),
      askUntilAnswered(other, groups.datagrams),
    ]);
    assertLess(performance.now() - started, MOVED_WITHIN);
    assertEquals([failover, latency], ["slow", "slow"]);
    for (const time of times) assertLess(time, MOVED_WITHIN);
    await program.waitFor(/server good is down: /);
  });

  await t.step("select stays with what is selected", async () => {
    let served = false;
    try {
      using conn = await socks5Connect(groups.port("select"), groups.echo);
      await writeAll(conn, seededBytes(10, 1));
      served = await conn.read(new Uint8Array(10)) !== null;
    } catch {
      // Refused, as it should be.
    }
    assertEquals(served, false);
  });

  await t.step("the good one is used again when it answers", async () => {
    const from = program.output.length;
    await groups.revive();
    await program.waitUntil(
      "the return of the good one",
      (output) =>
        output.slice(from).includes("server good is up") ? true : undefined,
    );
    assertEquals(await groups.serverOf("failover"), "good");
    assertEquals(await groups.serverOf("select"), "good");
    // Its failures are forgotten after nine probes, one a second.
    const limit = performance.now() + COMEBACK_WITHIN;
    let server = "";
    while (server !== "good" && performance.now() < limit) {
      server = await groups.serverOf("latency");
    }
    assertEquals(server, "good", "for latency");
  });
});
