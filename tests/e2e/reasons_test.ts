/**
 * What a person reads when a target is refused, or the password is wrong.
 *
 * @module
 */

import {
  type ConfigValues,
  freePort,
  ManagerClient,
  socks5Connect,
  spawnPair,
  spawnRole,
  writeAll,
} from "../support/mod.ts";

const WAYS: readonly ConfigValues[] = Deno.build.os === "linux"
  ? [{ event_loop: "epoll" }, { event_loop: "deno" }]
  : [{}];

for (const way of WAYS) {
  const name = Object.entries(way).map((each) => each.join("=")).join(", ");

  Deno.test(`sslocal names the server and the target when that is refused (${name})`, async () => {
    await using pair = await spawnPair({ both: way });
    const port = freePort();
    for (let i = 0; i < 3; i++) await ask(pair.local.port, port);
    await pair.server.program.waitFor(
      new RegExp(
        `INFO +cannot connect to .*:${port} from .*: ECONNREFUSED$`,
        "m",
      ),
    );
    await pair.local.program.waitFor(
      new RegExp(
        `INFO +server 127\\.0\\.0\\.1:${pair.server.port} has ended the ` +
          `connection to 127\\.0\\.0\\.1:${port} from .* without an answer`,
      ),
    );
    await pair.local.program.waitFor(
      /WARNING +server .* can be reached, but has closed or left unanswered 3 /,
    );
  });

  Deno.test(`ssserver says what it can mean when a client cannot be read (${name})`, async () => {
    await using pair = await spawnPair({
      both: way,
      local: { password: "another password" },
    });
    using conn = await socks5Connect(pair.local.port, {
      hostname: "127.0.0.1",
      port: 1,
    });
    await writeAll(conn, new Uint8Array(100));
    await pair.server.program.waitFor(
      /WARNING +failed to handshake with 127\.0\.0\.1: .*\n.*WARNING +what 127\.0\.0\.1 sent cannot be read: another password or method/,
    );
  });
}

for (const way of WAYS) {
  const name = Object.entries(way).map((each) => each.join("=")).join(", ");

  Deno.test(`sslocal says what it can mean when clients wait in vain (${name})`, async () => {
    await using pair = await spawnPair({
      both: way,
      local: { password: "another password" },
    });
    await Promise.all([1, 2, 3].map(async () => {
      const target = { hostname: "127.0.0.1", port: 1 };
      using conn = await socks5Connect(pair.local.port, target);
      await writeAll(conn, new Uint8Array(100));
      // The server is silent: this is how long a client waits.
      await new Promise((resolve) => setTimeout(resolve, 1200));
    }));
    await pair.local.program.waitFor(
      new RegExp(
        `WARNING +server 127\\.0\\.0\\.1:${pair.server.port} can be reached, but has closed or left unanswered 3 connections in a row: wrong password or method, or not a shadowsocks server`,
      ),
    );
  });

  Deno.test(`sslocal says at INFO that a target goes to block (${name})`, async () => {
    await using pair = await spawnPair({
      both: way,
      local: { locals: [{ local_port: 0, outbound: "block" }] },
      omit: ["local_address", "local_port"],
    });
    await ask(pair.local.port, 9).catch(() => {});
    await pair.local.program.waitFor(
      /INFO +127\.0\.0\.1:9 is refused by block for 127\.0\.0\.1:\d+\n/,
    );
  });

  if (Deno.build.os === "linux") {
    Deno.test(`ssmanager says which process has a port (${name})`, async () => {
      using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const port = freePort();
      await using manager = await spawnRole("ssmanager", {
        config: {
          ...way,
          server: "127.0.0.1",
          method: "aes-256-gcm",
          manager_address: `127.0.0.1:${port}`,
        },
      });
      using client = new ManagerClient(port);
      const request = { server_port: taken.addr.port, password: "x" };
      await client.send(`add: ${JSON.stringify(request)}`);
      await manager.program.waitFor(
        new RegExp(`ERROR .*EADDRINUSE.*pid ${Deno.pid}\\b`),
      );
    });
  }
}

/** Sends something to a port by the proxy, and waits for the end. */
async function ask(proxyPort: number, port: number): Promise<void> {
  const target = { hostname: "127.0.0.1", port };
  using conn = await socks5Connect(proxyPort, target);
  await writeAll(conn, new Uint8Array(100)).catch(() => {});
  await conn.read(new Uint8Array(1)).catch(() => null);
}
