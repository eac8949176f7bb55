/**
 * Users on one port of 2017 as processes, found by trial: TCP and UDP, a method
 * for each who wants one, somebody without a name, strangers, the access log.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  accessLine,
  accessLines,
  accessLinesOf,
  type ConfigValues,
  echoDatagrams,
  echoFile,
  readUntilClosed,
  request,
  type RoleProcess,
  seededBytes,
  spawnRole,
  withTimeout,
  writeAll,
} from "../support/mod.ts";
import { SERVER_KEYS } from "./_mixed_fixture.ts";

const METHOD = "aes-256-gcm";
const OTHER_METHOD = "chacha20-ietf-poly1305";
const DATAGRAMS = [1, 100, 1200, 8192];

/** A user, and with which method. */
interface User {
  readonly name: string;
  readonly password: string;
  readonly method?: string;
}

const USERS: readonly User[] = [
  { name: "alice", password: "what alice alone knows" },
  { name: "bob", password: "what bob alone knows", method: OTHER_METHOD },
  { name: "carol", password: "what carol alone knows" },
];
/** Who has the password of the port, and no name. */
const NAMELESS: User = { name: "", password: "what the others know" };
/** Who has none of the passwords. */
const STRANGER: User = { name: "", password: "what nobody there knows" };

function localOf(
  { password, method = METHOD }: User,
  server: RoleProcess,
): Promise<RoleProcess> {
  const config: ConfigValues = {
    server: "127.0.0.1",
    server_port: server.port,
    password,
    method,
    local_address: "127.0.0.1",
    local_port: 0,
  };
  return spawnRole("sslocal", { config });
}

Deno.test("ssserver serves users on one port, and the access log says whose each session is", async () => {
  await using server = await spawnRole("ssserver", {
    config: {
      ...SERVER_KEYS,
      method: METHOD,
      password: NAMELESS.password,
      users: USERS.map((user) => ({ ...user })),
      access_log: { file: "-", format: "json" },
    },
  });
  await using stack = new AsyncDisposableStack();
  for (const user of [...USERS, NAMELESS]) {
    const local = stack.use(await localOf(user, server));
    await request(local.port, { count: 20, parallel: 5 });
    await echoFile(local.port, 1024 * 1024);
    await echoDatagrams(local.port, DATAGRAMS);
  }
  using probe = await Deno.connect({
    hostname: "127.0.0.1",
    port: server.port,
  });
  await writeAll(probe, seededBytes(300, 1));
  await assertSilent(server, probe);
  await server.program.stop();
  const lines = accessLines(server.program.output);
  for (const { name } of [...USERS, NAMELESS]) {
    const own = lines.filter(({ user, status }) =>
      user === name && status !== "auth_failed"
    );
    const tcp = own.filter(({ network }) => network === "tcp");
    assert(tcp.length >= 21, `${name}: ${tcp.length} connections`);
    assert(tcp.some(({ up, down }) => up === down && up === 1024 * 1024));
    const [udp] = own.filter(({ network }) => network === "udp");
    const sum = DATAGRAMS.reduce((total, size) => total + size);
    assertEquals([udp?.up, udp?.down], [sum, sum], name);
  }
  assertEquals(
    new Set(lines.map(({ user }) => user)),
    new Set(["alice", "bob", "carol", ""]),
  );
  for (const { password } of [...USERS, NAMELESS]) {
    assert(!server.program.output.includes(password));
  }
});

/** A stranger hears nothing, and its line names nobody. */
async function assertSilent(
  server: RoleProcess,
  probe: Deno.TcpConn,
): Promise<void> {
  await probe.closeWrite();
  const heard = await withTimeout(readUntilClosed(probe), "the end");
  assertEquals(heard.bytes.length, 0);
  const line = await accessLine(server.program, { status: "auth_failed" });
  assertEquals([line.user, line.target, line.down], ["", "", 0]);
}

Deno.test("ssserver with users serves nobody who has none of their passwords", async () => {
  await using server = await spawnRole("ssserver", {
    config: {
      server: "127.0.0.1",
      server_port: 0,
      forbidden_ip: "",
      method: METHOD,
      users: USERS.map((user) => ({ ...user })),
      access_log: { file: "-", format: "json" },
    },
  });
  const [alice, bob] = USERS;
  const wrongMethod = { ...bob!, method: METHOD };
  for (const [n, user] of [STRANGER, NAMELESS, wrongMethod].entries()) {
    await using local = await localOf(user, server);
    const config = { hostname: "127.0.0.1", port: local.port };
    using conn = await Deno.connect(config);
    // SOCKS5 without a password, then CONNECT to a port of this machine.
    await writeAll(
      conn,
      Uint8Array.of(5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, 0, 9),
    );
    await writeAll(conn, seededBytes(100, 1));
    await accessLinesOf(server.program, { status: "auth_failed" }, n + 1);
  }
  await using local = await localOf(alice!, server);
  await request(local.port, { count: 3, parallel: 1 });
  await accessLine(server.program, { user: "alice", status: "ok" });
});
