/**
 * A server and a local on real sockets: how connections end, and who speaks
 * first.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type AddressInfo, createServer } from "node:net";
import type { CipherSuite } from "../../shadowsocks/mod.ts";
import { pollers } from "../_loop_fixture.ts";
import { Services, servicesTest } from "../faults/_services.ts";
import {
  echoFile,
  echoPieces,
  echoTarget,
  freePort,
  halfCloseByClient,
  halfCloseByTarget,
  readToEnd,
  readUntilClosed,
  request,
  serverFirst,
  socks5Connect,
  Socks5Refused,
  type Target,
  TcpTarget,
  text,
  utf8,
  withTimeout,
  writeAll,
} from "../support/mod.ts";
import { CipherPeer } from "./_relay_fixture.ts";

servicesTest(
  "Service relays the answer when the client has sent its end",
  (services) => halfCloseByClient(services.localPort),
);

servicesTest(
  "Service relays the upload when the target has sent its end",
  (services) => halfCloseByTarget(services.localPort),
);

servicesTest(
  "Service relays a greeting when the target speaks first",
  (services) => serverFirst(services.localPort),
);

servicesTest(
  "Service relays pieces of every size unchanged",
  async (services) => {
    const chunk = 0x3fff;
    const sizes = [1, 2, 1000, chunk - 1, chunk, chunk + 1, 2 * chunk, 200_000];
    await echoPieces(services.localPort, sizes);
    await echoFile(services.localPort, 1_000_000);
  },
);

servicesTest(
  "Service serves many connections at the same time",
  (services) => request(services.localPort, { count: 100, parallel: 50 }),
);

servicesTest(
  "Service passes an end on when the target sends nothing else",
  async (services) => {
    await using target = new TcpTarget(async (conn) => {
      await conn.closeWrite();
      await readToEnd(conn);
    });
    using conn = await socks5Connect(services.localPort, target);
    await writeAll(conn, utf8("anybody?"));
    const end = await withTimeout(readUntilClosed(conn), "the end");
    assertEquals([end.bytes.length, end.reset], [0, false]);
  },
);

servicesTest(
  "Service passes an end on when the client sends nothing else",
  async (services) => {
    await using target = new TcpTarget(async (conn) => {
      assertEquals((await readToEnd(conn)).length, 0);
      await writeAll(conn, utf8("so long"));
      await conn.closeWrite();
    });
    using conn = await socks5Connect(services.localPort, target);
    await conn.closeWrite();
    const got = await withTimeout(readToEnd(conn), "the answer");
    assertEquals(text(got), "so long");
  },
);

servicesTest(
  "Service passes a reset of the target on, not an end",
  async (services, poller) => {
    await using target = await resettingTarget();
    using conn = await socks5Connect(services.localPort, target);
    await writeAll(conn, utf8("x"));
    const end = await withTimeout(readUntilClosed(conn), "the end");
    // Deno's own sockets cannot send a reset.
    if (poller === "epoll") assert(end.reset, "a clean end");
  },
);

/** The answer `an answer` is a salt, a length, its bytes, and two tags. */
for (const cut of [0, 7, 15, 17, 33, 34, 40, 58]) {
  for (const poller of pollers()) {
    Deno.test(`Service never ends cleanly when the answer is cut after ${cut} bytes (${poller})`, async () => {
      const { promise: suite, resolve } = Promise.withResolvers<CipherSuite>();
      await using server = new TcpTarget(async (conn) => {
        using peer = new CipherPeer(await suite);
        await conn.read(new Uint8Array(1000));
        await writeAll(conn, peer.seal(utf8("an answer")).subarray(0, cut));
        await conn.closeWrite();
        await readUntilClosed(conn);
      });
      await using services = await Services.start({
        poller,
        local: { serverPort: [server.port] },
      });
      resolve(services.suite);
      using conn = await socks5Connect(services.localPort, server);
      await writeAll(conn, utf8("question"));
      const end = await withTimeout(readUntilClosed(conn), "the end");
      assertEquals(end.bytes.length, 0, "nothing of an unfinished chunk");
      // Deno's own sockets cannot send a reset.
      if (poller === "epoll") assert(end.reset, "a clean end");
    });
  }
}

servicesTest("Service looks names up at the server", async (services) => {
  await using target = echoTarget();
  services.resolver.known.set("echo.example", ["127.0.0.1"]);
  const named = { hostname: "echo.example", port: target.port };
  using conn = await socks5Connect(services.localPort, named);
  await writeAll(conn, utf8("x"));
  assertEquals(await firstRead(conn), 1);
  const lines = services.logs.with(`connecting echo.example:${target.port}`);
  assertEquals(lines.length, 2);
});

for (const poller of pollers()) {
  Deno.test(`Service replies with a failure when the server is not there (${poller})`, async () => {
    await using services = await Services.start({
      poller,
      local: { serverPort: [freePort()] },
    });
    const target = { hostname: "192.0.2.1", port: 80 };
    const error = await assertRejects(
      () => socks5Connect(services.localPort, target),
      Socks5Refused,
    );
    assertEquals((error as Socks5Refused).reply, 5);
  });
}

servicesTest(
  "Service.close() lets open connections end, then calls back",
  async (services) => {
    await using target = echoTarget();
    const conn = await socks5Connect(services.localPort, target);
    await writeAll(conn, utf8("x"));
    await firstRead(conn);
    const idle = services.close();
    await assertRejects(() => socks5Connect(services.localPort, target));
    await writeAll(conn, utf8("y"));
    assertEquals(await firstRead(conn), 1);
    conn.close();
    await withTimeout(idle, "both to be idle");
    assertEquals(services.watched, 0);
  },
);

/** Bytes of one read. */
function firstRead(conn: Deno.Conn): Promise<number | null> {
  return withTimeout(conn.read(new Uint8Array(16)), "the first bytes");
}

/** Resets every client as soon as it has sent something. */
async function resettingTarget(): Promise<AsyncDisposable & Target> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.resetAndDestroy());
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", () => listening.resolve());
  await listening.promise;
  return {
    hostname: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose](): Promise<void> {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}
