/**
 * Rules of running programs: what goes directly, by the server, or nowhere;
 * and what is said about configurations that lead nowhere.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  type AccessLine,
  accessLine,
  echoTarget,
  freePort,
  isListening,
  listeningPorts,
  PASSWORD,
  readUntilClosed,
  type RoleProcess,
  runRole,
  seededBytes,
  socks5Connect,
  Socks5Refused,
  socks5UdpAssociate,
  spawnRole,
  staysPending,
  type Target,
  type TcpTarget,
  TempFolder,
  type TestedRole,
  UdpEcho,
  withTimeout,
  writeAll,
} from "../support/mod.ts";
import { OPEN_PORT, SERVER_KEYS } from "./_mixed_fixture.ts";

const JSON_LOG = { file: "-", format: "json" } as const;

/** Long enough for a loopback answer, should there be one. */
const SILENCE = 400;

/** What a connection through a local has come to. */
interface Way {
  /** Whether the target has answered. */
  readonly answered: boolean;
  /** What the local says about it. */
  readonly line: AccessLine;
  /** The reply of SOCKS5. */
  readonly reply: number;
}

/**
 * Sends bytes to an echo, and their end.
 *
 * @param conn The connection, which may be reset at any moment.
 * @returns Whether all of them came back.
 */
async function isAnswered(conn: Deno.TcpConn): Promise<boolean> {
  try {
    await writeAll(conn, seededBytes(60, 1));
    await conn.closeWrite();
  } catch (error) {
    if (!hasGone(error)) throw error;
    return false;
  }
  const { bytes } = await withTimeout(readUntilClosed(conn), "the end");
  return bytes.length === 60;
}

/** Whether an error says that the other end has reset the connection. */
function hasGone(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.NotConnected;
}

/** A server and a local, each with rules. */
class RuledPair implements AsyncDisposable {
  readonly echo: TcpTarget = echoTarget();
  readonly #stack: AsyncDisposableStack;
  readonly server: RoleProcess;
  readonly local: RoleProcess;
  /** The ports of the local. */
  readonly ports: readonly number[];

  private constructor(
    stack: AsyncDisposableStack,
    processes: readonly [RoleProcess, RoleProcess],
    ports: readonly number[],
  ) {
    this.#stack = stack;
    [this.server, this.local] = processes;
    this.ports = ports;
  }

  /**
   * Starts both.
   *
   * @param rules The rules of the server, of all locals, and of each local.
   */
  static async start(rules: {
    readonly server?: string;
    readonly local?: string;
    readonly locals?: readonly string[];
  }): Promise<RuledPair> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(new TempFolder());
    async function acl(text: string | undefined): Promise<{ acl?: string }> {
      if (text === undefined || text === "") return {};
      const file = folder.file(`${crypto.randomUUID()}.acl`);
      await Deno.writeTextFile(file, text);
      return { acl: file };
    }
    const server = stack.use(
      await spawnRole("ssserver", {
        config: {
          ...SERVER_KEYS,
          ...await acl(rules.server),
          access_log: JSON_LOG,
        },
      }),
    );
    const locals = rules.locals ?? [""];
    const local = stack.use(
      await spawnRole("sslocal", {
        config: {
          server: "127.0.0.1",
          server_port: server.port,
          password: PASSWORD,
          method: "aes-256-gcm",
          access_log: JSON_LOG,
          ...await acl(rules.local),
          locals: await Promise.all(
            locals.map(async (text) => ({ ...OPEN_PORT, ...await acl(text) })),
          ),
        },
      }),
    );
    const ports = await listeningPorts(local, locals.length);
    return new RuledPair(stack.move(), [server, local], ports);
  }

  /** Connects to a host, at the port of the echo. */
  async way(hostname: string, port: number = this.ports[0]!): Promise<Way> {
    const target: Target = { hostname, port: this.echo.port };
    const wanted = { target: `${hostname}:${target.port}` };
    let answered = false;
    let reply = 0;
    try {
      using conn = await socks5Connect(port, target);
      answered = await isAnswered(conn);
    } catch (error) {
      if (!(error instanceof Socks5Refused)) throw error;
      reply = error.reply;
    }
    const line = await accessLine(this.local.program, {
      ...wanted,
      listener: `mixed:${port}`,
    });
    return { answered, line, reply };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
    await this.echo[Symbol.asyncDispose]();
  }
}

Deno.test("sslocal goes directly to what a bypass list has, and else by the server", async () => {
  await using pair = await RuledPair.start({
    local: "[proxy_all]\n[bypass_list]\n127.0.0.0/30\n||direct.localhost\n",
  });
  const server = `127.0.0.1:${pair.server.port}`;
  const direct = await pair.way("127.0.0.1");
  assertEquals(direct.line.outbound, "direct");
  assertEquals(direct.line.rule, "127.0.0.0/30");
  assert(direct.answered);
  assertEquals(pair.echo.accepted, 1);
  assert(!pair.server.program.output.includes('"up":60'), "by the server too");

  const named = await pair.way("localhost");
  assertEquals(named.line.outbound, "direct", "by the address of the name");
  const proxied = await pair.way("127.0.0.8");
  assertEquals([proxied.line.outbound, proxied.line.rule], [server, ""]);
  const far = await accessLine(pair.server.program, {
    target: proxied.line.target,
  });
  assertEquals(far.outbound, "direct");
});

Deno.test("sslocal goes by the server to what a proxy list has, and else directly", async () => {
  await using pair = await RuledPair.start({
    local: "[bypass_all]\n[proxy_list]\n127.0.0.1\n",
  });
  const proxied = await pair.way("127.0.0.1");
  assertEquals(proxied.line.outbound, `127.0.0.1:${pair.server.port}`);
  assertEquals(proxied.line.rule, "127.0.0.1/32");
  assert(proxied.answered);
  const direct = await pair.way("127.0.0.8");
  assertEquals([direct.line.outbound, direct.line.rule], [
    "direct",
    "bypass_all",
  ]);
});

Deno.test("sslocal takes the rules of each local", async () => {
  await using pair = await RuledPair.start({
    local: "[outbound_block_list]\n127.0.0.1\n",
    locals: [
      "",
      "[bypass_all]\n",
      "[proxy_all]\n",
      "[bypass_all]\n[outbound_block_list]\n127.0.0.1/32\n",
    ],
  });
  const server = `127.0.0.1:${pair.server.port}`;
  const ways: Way[] = [];
  for (const port of pair.ports) ways.push(await pair.way("127.0.0.1", port));
  assertEquals(
    ways.map(({ answered, reply, line: { status, outbound } }) => [
      answered,
      reply,
      status,
      outbound,
    ]),
    [
      [false, 2, "blocked", ""],
      [true, 0, "ok", "direct"],
      [true, 0, "ok", server],
      [false, 2, "blocked", ""],
    ],
  );
  assertEquals(pair.echo.accepted, 2);
});

Deno.test("sslocal takes its rules for datagrams too", async () => {
  await using pair = await RuledPair.start({
    local:
      "[bypass_list]\n127.0.0.1\n[outbound_block_list]\n127.0.0.8\n||bad.test\n",
  });
  await using target = new UdpEcho();
  {
    using association = await socks5UdpAssociate(pair.ports[0]!);
    await association.send(
      { hostname: "127.0.0.8", port: target.port },
      seededBytes(30, 1),
    );
    await association.send(target, seededBytes(40, 1));
    const { payload } = await withTimeout(association.receive(), "the echo");
    assertEquals(payload.length, 40);
  }
  const line = await accessLine(pair.local.program, { network: "udp" });
  assertEquals([line.outbound, line.status], ["direct", "ok"]);
  assertEquals(target.received, 1);
});

Deno.test("ssserver forbids what its block list has", async () => {
  await using pair = await RuledPair.start({
    server: "[outbound_block_list]\n127.0.0.8/29\n||bad.localhost\n",
  });
  assert((await pair.way("127.0.0.1")).answered);
  for (const host of ["127.0.0.8", "very.bad.localhost"]) {
    assert(!(await pair.way(host)).answered);
    const line = await accessLine(pair.server.program, {
      target: `${host}:${pair.echo.port}`,
    });
    assertEquals(line.status, "blocked");
    assertMatch(line.rule, /127\.0\.0\.8\/29|bad\.localhost/);
  }
  await using target = new UdpEcho();
  using association = await socks5UdpAssociate(pair.ports[0]!);
  await association.send(
    { hostname: "127.0.0.9", port: target.port },
    seededBytes(30, 1),
  );
  const echo = association.receive();
  assert(await staysPending(echo, SILENCE), "a datagram came back");
  echo.catch(() => {});
  assertEquals(target.received, 0);
});

for (
  const [rules, isServed] of [
    ["[black_list]\n127.0.0.1\n", false],
    ["[black_list]\n127.0.0.2\n", true],
    ["[reject_all]\n[white_list]\n10.0.0.0/8\n", false],
    ["[reject_all]\n[white_list]\n127.0.0.1/8\n", true],
  ] as const
) {
  Deno.test(`ssserver ${isServed ? "serves" : "refuses"} a client when its rules are ${rules.replaceAll("\n", " ").trim()}`, async () => {
    await using pair = await RuledPair.start({ server: rules });
    await using target = new UdpEcho();
    assertEquals((await pair.way("127.0.0.1")).answered, isServed);
    const line = await accessLine(pair.server.program, { network: "tcp" });
    assertEquals(line.status, isServed ? "ok" : "blocked");
    assertEquals(pair.echo.accepted, isServed ? 1 : 0);
    using association = await socks5UdpAssociate(pair.ports[0]!);
    await association.send(target, seededBytes(30, 1));
    const echo = association.receive();
    if (isServed) await withTimeout(echo, "the echo");
    else assert(await staysPending(echo, SILENCE), "a datagram came back");
    echo.catch(() => {});
  });
}

/** Configurations that lead nowhere; `PORT` is a free port, `ACL` a file. */
const BROKEN: readonly {
  readonly name: string;
  readonly role: TestedRole;
  readonly config: string;
  readonly acl?: string;
  /** One for each line that is said. */
  readonly complaints: readonly RegExp[];
}[] = [
  {
    name: "a rule that cannot be read",
    role: "sslocal",
    config: 'acl = "ACL"\n[[locals]]\nlocal_port = PORT\noutbound = "direct"\n',
    acl: "[bypass_list]\n10.0.0.0/8\n  10.0.0.0/99\n",
    complaints: [/ ERROR +\S*rules\.acl:3:3: .*10\.0\.0\.0\/99/],
  },
  {
    name: "a section that nobody knows, and a rule",
    role: "ssserver",
    config: 'acl = "ACL"\nserver = "127.0.0.1"\nserver_port = PORT\n' +
      'password = "secret-of-test"\n',
    acl: "[outbound_block_lst]\n10.0.0.1\n[outbound_block_list]\n(((\n",
    complaints: [
      / ERROR +\S*rules\.acl:1:1: .*outbound_block_lst/,
      / ERROR +\S*rules\.acl:4:\d+: /,
    ],
  },
  {
    name: "an ACL of a local that cannot be read",
    role: "sslocal",
    config: '[[locals]]\nlocal_port = PORT\noutbound = "direct"\nacl = "ACL"\n',
    acl: "[bypass_list]\n1.2.3.4.5/6\n",
    complaints: [/ ERROR +\S*rules\.acl:2:1: /],
  },
  {
    name: "an ACL that is not there",
    role: "sslocal",
    config: '[[locals]]\nlocal_port = PORT\noutbound = "direct"\n' +
      'acl = "/nowhere/at/all.acl"\n',
    complaints: [/config\.toml:4:\d+: .*\/nowhere\/at\/all\.acl/],
  },
  {
    name: "two locals on one port",
    role: "sslocal",
    config: '[[locals]]\nlocal_port = PORT\noutbound = "direct"\n\n' +
      '[[locals]]\nlocal_port = PORT\noutbound = "direct"\n',
    complaints: [/config\.toml:(5|6):\d+: .*PORT/],
  },
  {
    name: "a group without members",
    role: "sslocal",
    config: '[[locals]]\nlocal_port = PORT\noutbound = "g"\n\n' +
      '[[groups]]\nname = "g"\nmembers = []\n',
    complaints: [/config\.toml:(5|7):\d+: .*members/],
  },
  {
    name: "groups in a circle",
    role: "sslocal",
    config: '[[locals]]\nlocal_port = PORT\noutbound = "a"\n\n' +
      '[[groups]]\nname = "a"\nmembers = ["b"]\n\n' +
      '[[groups]]\nname = "b"\nmembers = ["direct", "a"]\n',
    complaints: [/config\.toml:\d+:\d+: .*\ba\b.*\bb\b/],
  },
  {
    name: "a member that nobody knows",
    role: "sslocal",
    config: '[[locals]]\nlocal_port = PORT\noutbound = "g"\n\n' +
      '[[groups]]\nname = "g"\nmembers = ["direct", "tokio"]\n\n' +
      '[[servers]]\nname = "tokyo"\nserver = "127.0.0.1"\n' +
      'server_port = 8388\npassword = "secret-of-test"\n',
    complaints: [/config\.toml:7:\d+: .*tokio.*tokyo/],
  },
  {
    name: "an outbound that nobody knows",
    role: "sslocal",
    config: '[[locals]]\nlocal_port = PORT\noutbound = "nowhere"\n',
    complaints: [/config\.toml:3:\d+: .*nowhere/],
  },
];

for (const { name, role, config, acl, complaints } of BROKEN) {
  Deno.test(`${role} exits 1 when there is ${name}`, async () => {
    await using folder = new TempFolder();
    const port = freePort();
    const rules = folder.file("rules.acl");
    const file = folder.file("config.toml");
    if (acl !== undefined) await Deno.writeTextFile(rules, acl);
    await Deno.writeTextFile(
      file,
      config.replaceAll("PORT", `${port}`).replaceAll("ACL", rules),
      { mode: 0o600 },
    );
    for (const args of [["-c", file], ["-c", file, "--check"]]) {
      const result = await runRole(role, { args });
      assertEquals(result.code, 1, result.output);
      const lines = result.lines.filter((line) =>
        !/ (INFO|WARNING) /.test(line) && !/^(INFO|WARNING|warning):/.test(line)
      );
      assertEquals(lines.length, complaints.length, result.output);
      for (const [i, complaint] of complaints.entries()) {
        const { source } = complaint;
        assertMatch(lines[i]!, new RegExp(source.replace("PORT", `${port}`)));
      }
      assert(!result.output.includes("secret-of-test"));
      assertEquals(await isListening(port), false);
    }
  });
}

Deno.test("sslocal exits 1 and listens nowhere when one of its ports is taken", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const first = freePort();
  const result = await runRole("sslocal", {
    config: {
      locals: [
        { ...OPEN_PORT, local_port: first, outbound: "direct" },
        { ...OPEN_PORT, local_port: port, outbound: "direct" },
      ],
    },
  });
  assertEquals(result.code, 1, result.output);
  assertMatch(result.output, new RegExp(`ERROR .*:${port}: EADDRINUSE`));
  assertEquals(await isListening(first), false);
});
