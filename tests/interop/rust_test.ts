/**
 * Configurations of shadowsocks-rust, as its users have them: its own sslocal
 * and ours, one after the other, are started with the same file and asked the
 * same; then its ssserver and ours. What they answer is the same, or stands
 * here with the reason. `SS_RUST` names rust's sslocal if it is not on PATH.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  accessLines,
  type ChildProgram,
  freePort,
  hasCurl,
  spawnRole,
} from "../support/mod.ts";
import {
  connect,
  fetchPage,
  type Outcomes,
  type Probe,
  runProbes,
} from "./_probes.ts";
import { findRust, type Maker, RustConfig, start, WayTarget } from "./_rust.ts";
import {
  aclProbes,
  answersRefusal,
  CHACHA,
  GCM,
  HOME,
  type Scenario,
  SCENARIOS,
  type Server,
  type Targets,
} from "./_rust_scenarios.ts";

/** How each maker's server is started, and how it tells what it has served. */
async function startServer(
  rust: string,
  maker: Maker,
  { server, port, index }: { server: Server; port: number; index: number },
): Promise<{ readonly program: ChildProgram } & AsyncDisposable> {
  const { method, password } = server;
  if (maker === "ours") {
    return await spawnRole("ssserver", {
      config: {
        ...{ server: "127.0.0.1", server_port: port, method, password },
        forbidden_ip: "",
        access_log: { format: "json" },
      },
    });
  }
  const args = [
    ...["-s", `127.0.0.1:${port}`, "-m", method, "-k", password, "-U"],
    ...["--outbound-bind-addr", `127.0.0.${101 + index}`],
  ];
  return await start("ssserver", { rust, maker, args, listeners: 2, lines: 1 });
}

/** One local of one maker with servers of one maker. */
async function play(
  rust: string,
  scenario: Scenario,
  { config, targets, local, server }: {
    readonly config: RustConfig;
    readonly targets: Targets;
    readonly local: Maker;
    readonly server: Maker;
  },
): Promise<Outcomes> {
  await using stack = new AsyncDisposableStack();
  const servers: ChildProgram[] = [];
  for (const [index, each] of scenario.servers.entries()) {
    const port = config.port(each.port);
    const how = { server: each, port, index };
    servers.push(stack.use(await startServer(rust, server, how)).program);
  }
  const { program } = stack.use(
    await start("sslocal", {
      rust,
      maker: local,
      args: ["-c", config.path],
      listeners: scenario.listeners,
      lines: scenario.lines,
    }),
  );
  const outcomes = await runProbes(scenario.probes(config, targets));
  await program.stop();
  if (server === "rust") return outcomes;
  const served = await Promise.all(servers.map(async (each, index) => {
    await each.stop();
    const targets = accessLines(each.output)
      .map(({ network, target }) => `${network} ${target}`)
      // The page that balancers fetch.
      .filter((target) => !target.includes("google"));
    return [`served by ${index}`, [...new Set(targets)].sort().join(", ")];
  }));
  return { ...outcomes, ...Object.fromEntries(served) };
}

/** The ports of `server.json`. */
const PORTS: readonly Server[] = [
  GCM,
  CHACHA,
  { port: 8390, method: "aes-128-gcm", password: "my long password" },
];

/** A client that `server.acl` refuses. */
const BLACK = "127.0.0.13";

/** A server of one maker, asked by way of rust's sslocal. */
async function playServer(
  rust: string,
  maker: Maker,
  config: RustConfig,
  targets: Targets,
): Promise<Outcomes> {
  await using stack = new AsyncDisposableStack();
  // Loopback is forbidden to clients of ours unless the configuration says so.
  const allowed = maker === "ours" ? ["--forbidden-ip="] : [];
  const args = ["-c", config.path, ...allowed];
  stack.use(
    await start("ssserver", { rust, maker, args, listeners: 4, lines: 3 }),
  );
  const startLocal = async (
    { port, method, password }: Server,
    ...more: readonly string[]
  ): Promise<number> => {
    const local = freePort();
    const args = [
      ...["-b", `127.0.0.1:${local}`, "-s", `127.0.0.1:${config.port(port)}`],
      ...["-m", method, "-k", password, "-U", ...more],
    ];
    const how = { rust, args, listeners: 2, lines: 1 };
    stack.use(await start("sslocal", { ...how, maker: "rust" }));
    return local;
  };
  const probes: Probe[] = [];
  for (const each of PORTS) {
    const local = await startLocal(each);
    probes.push(...aclProbes(`${each.port}`, local, targets));
    probes.push([
      `${each.port}: refused`,
      () => connect(local, targets.refused),
    ]);
  }
  // What its client is told depends on when rust's sslocal sees the end.
  const refused = await startLocal(CHACHA, "--outbound-bind-addr", BLACK);
  probes.push(["a black-listed client", async () => {
    const page = await fetchPage(["socks5h", refused], targets.home);
    return page === targets.home.hostname ? "served" : "not served";
  }]);
  return await runProbes(probes);
}

const rust = findRust();
if (rust !== undefined && hasCurl()) {
  for (const scenario of SCENARIOS) {
    for (const server of ["rust", "ours"] satisfies Maker[]) {
      Deno.test(`sslocal does as rust's does with ${scenario.name}.json and ${server === "rust" ? "rust's" : "our"} ssserver`, async () => {
        await using stack = new AsyncDisposableStack();
        const home = stack.use(new WayTarget());
        const others = new Map(
          (scenario.addresses ?? []).map((last) => [
            last,
            stack.use(new WayTarget(`127.0.0.${last}`)),
          ]),
        );
        const refused = { hostname: "127.0.0.1", port: freePort() };
        const targets = { home, others, refused };
        const config = stack.use(
          await RustConfig.write(scenario.name, { [HOME]: home.port }),
        );
        const how = { config, targets, server };
        const theirs = await play(rust, scenario, { ...how, local: "rust" });
        const ours = await play(rust, scenario, { ...how, local: "ours" });
        assertEquals(ours, {
          ...theirs,
          ...answersRefusal(theirs),
          ...scenario.differs?.(theirs),
        });
      });
    }
  }

  Deno.test("ssserver does as rust's does with server.json", async () => {
    await using stack = new AsyncDisposableStack();
    const home = stack.use(new WayTarget());
    const others = new Map(
      [2, 3, 4].map((last) => [
        last,
        stack.use(new WayTarget(`127.0.0.${last}`)),
      ]),
    );
    const refused = { hostname: "127.0.0.1", port: freePort() };
    const targets = { home, others, refused };
    const config = stack.use(await RustConfig.write("server"));
    const theirs = await playServer(rust, "rust", config, targets);
    const ours = await playServer(rust, "ours", config, targets);
    assertEquals(ours, theirs);
  });
}
