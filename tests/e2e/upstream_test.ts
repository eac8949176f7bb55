/**
 * Other proxies on the way to a server, and from a server to targets: ports
 * with users of this program itself.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  accessLine,
  accessLinesOf,
  type ConfigValues,
  echoTarget,
  freePort,
  listeningPorts,
  PASSWORD,
  readExactly,
  type RoleProcess,
  seededBytes,
  socks5Connect,
  Socks5Refused,
  socks5UdpAssociate,
  spawnRole,
  staysPending,
  UdpEcho,
  withTimeout,
  writeAll,
} from "../support/mod.ts";
import { CLOSED_PORT, OPEN_PORT, SERVER_KEYS } from "./_mixed_fixture.ts";

const JSON_LOG = { file: "-", format: "json" } as const;

/** The user of the proxies, as a URL has it. */
const LOGIN = "alice:w%3Aonder";

/** Two ports with users, each of which goes out directly. */
async function spawnProxies(): Promise<
  { readonly role: RoleProcess; readonly ports: readonly number[] }
> {
  const role = await spawnRole("sslocal", {
    config: {
      access_log: JSON_LOG,
      locals: [
        { ...CLOSED_PORT, outbound: "direct" },
        { ...CLOSED_PORT, outbound: "direct" },
      ],
    },
  });
  return { role, ports: await listeningPorts(role, 2) };
}

function spawnLocal(
  serverPort: number,
  keys: ConfigValues,
): Promise<RoleProcess> {
  return spawnRole("sslocal", {
    config: {
      server: "127.0.0.1",
      server_port: serverPort,
      password: PASSWORD,
      method: "aes-256-gcm",
      access_log: JSON_LOG,
      ...OPEN_PORT,
      ...keys,
    },
  });
}

async function assertEchoes(port: number, size: number): Promise<void> {
  await using echo = echoTarget();
  using conn = await socks5Connect(port, echo);
  const sent = seededBytes(size, 1);
  const sending = writeAll(conn, sent);
  const back = await withTimeout(readExactly(conn, size), "the echo");
  await sending;
  assertEquals(back, sent);
  await conn.closeWrite();
}

for (const scheme of ["socks5", "http"]) {
  Deno.test(`sslocal reaches its server through a proxy of ${scheme} with users`, async () => {
    await using server = await spawnRole("ssserver", { config: SERVER_KEYS });
    const proxies = await spawnProxies();
    await using role = proxies.role;
    const [port] = proxies.ports;
    await using local = await spawnLocal(server.port, {
      outbound_proxy: `${scheme}://${LOGIN}@127.0.0.1:${port}`,
    });
    await assertEchoes(local.port, 300_000);
    const line = await accessLine(role.program, { listener: `mixed:${port}` });
    assertEquals(
      [line.target, line.user, line.status, line.outbound],
      [`127.0.0.1:${server.port}`, "alice", "ok", "direct"],
    );
    assert(!local.program.output.includes("onder"), "a password is logged");
    const { status } = await accessLine(local.program, { network: "tcp" });
    assertEquals(status, "ok");
  });

  Deno.test(`sslocal says server_failed when a proxy of ${scheme} refuses its password`, async () => {
    const proxies = await spawnProxies();
    await using role = proxies.role;
    const [port] = proxies.ports;
    await using local = await spawnLocal(freePort(), {
      outbound_proxy: `${scheme}://alice:wrong@127.0.0.1:${port}`,
    });
    const target = { hostname: "127.0.0.1", port: 9 };
    let reply = 0;
    try {
      using _conn = await socks5Connect(local.port, target);
    } catch (error) {
      if (!(error instanceof Socks5Refused)) throw error;
      reply = error.reply;
    }
    assertEquals(reply, 1);
    const near = await accessLine(local.program, { network: "tcp" });
    assertEquals(near.status, "server_failed");
    const far = await accessLine(role.program, { status: "auth_failed" });
    assertEquals(far.target, "");
    assert(!local.program.output.includes("wrong"), "a password is logged");
  });

  Deno.test(`ssserver reaches targets through a proxy of ${scheme} with users`, async () => {
    const proxies = await spawnProxies();
    await using role = proxies.role;
    const [port] = proxies.ports;
    await using server = await spawnRole("ssserver", {
      config: {
        ...SERVER_KEYS,
        outbound_proxy: `${scheme}://${LOGIN}@127.0.0.1:${port}`,
      },
    });
    await using local = await spawnLocal(server.port, {});
    await assertEchoes(local.port, 100_000);
    const line = await accessLine(role.program, { user: "alice" });
    assertEquals([line.up, line.down], [100_000, 100_000]);
  });
}

for (const schemes of [["socks5", "http"], ["http", "socks5"]]) {
  Deno.test(`sslocal reaches its server through ${schemes.join(" and then ")}`, async () => {
    await using server = await spawnRole("ssserver", { config: SERVER_KEYS });
    const proxies = await spawnProxies();
    await using role = proxies.role;
    const [first, second] = proxies.ports;
    await using local = await spawnLocal(server.port, {
      outbound_proxy: proxies.ports.map((port, i) =>
        `${schemes[i]}://${LOGIN}@127.0.0.1:${port}`
      ),
    });
    await assertEchoes(local.port, 300_000);
    const lines = await accessLinesOf(role.program, { user: "alice" }, 2);
    assertEquals(
      new Map(lines.map(({ listener, target }) => [listener, target])),
      new Map([
        [`mixed:${first}`, `127.0.0.1:${second}`],
        [`mixed:${second}`, `127.0.0.1:${server.port}`],
      ]),
    );
    for (const { status } of lines) assertEquals(status, "ok");
  });
}

Deno.test("sslocal sends no datagram around a proxy on the way to its server", async () => {
  await using server = await spawnRole("ssserver", {
    config: { ...SERVER_KEYS, access_log: JSON_LOG },
  });
  const proxies = await spawnProxies();
  await using _role = proxies.role;
  await using target = new UdpEcho();
  await using local = await spawnLocal(server.port, {
    outbound_proxy: `socks5://${LOGIN}@127.0.0.1:${proxies.ports[0]}`,
  });

  {
    using association = await socks5UdpAssociate(local.port);
    await association.send(target, seededBytes(50, 1));
    const echo = association.receive();
    assert(await staysPending(echo, 300), "it went around the proxy");
    echo.catch(() => {});
    // What comes after the end of its connection begins another association.
    await local.program.waitFor(/cannot send UDP/);
  }
  const line = await accessLine(local.program, { network: "udp" });
  assert(line.status !== "ok", line.status);
  assertEquals(target.received, 0);
});
