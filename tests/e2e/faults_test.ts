/**
 * Peers that do wrong: only their own connection suffers.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { connect } from "node:net";
import {
  echoTarget,
  freePort,
  type Pair,
  readUntilClosed,
  request,
  seededBytes,
  socks5Connect,
  Socks5Refused,
  socks5UdpAssociate,
  spawnPair,
  staysPending,
  type Target,
  UdpEcho,
  withTimeout,
  writeAll,
} from "../support/mod.ts";

/** Long enough for a loopback answer, should there be one. */
const SILENCE = 400;

for (const event_loop of pollers()) {
  Deno.test(`ssserver stays silent over ${event_loop} when the password is wrong`, async () => {
    await using pair = await spawnPair({
      both: { event_loop },
      local: { password: "not that one" },
    });
    await using target = echoTarget();
    await using datagrams = new UdpEcho();
    using conn = await socks5Connect(pair.local.port, target);
    await writeAll(conn, seededBytes(400, 1));
    const answer = readUntilClosed(conn).catch(() => undefined);
    await pair.server.program.waitFor(/ERROR.*127\.0\.0\.1:\d+/);
    assert(await staysPending(answer, SILENCE), "the server reacted");
    {
      using association = await socks5UdpAssociate(pair.local.port);
      await association.send(datagrams, seededBytes(400, 2));
      const echo = association.receive();
      assert(await staysPending(echo, SILENCE), "the server answered");
      echo.catch(() => {});
    }
    assertEquals(target.accepted, 0);
    assertEquals(datagrams.received, 0);
    await pair.server.program.stop();
    await withTimeout(answer, "the end of the connection");
  });

  Deno.test(`ssserver logs the address over ${event_loop} when a client speaks garbage`, async () => {
    await using pair = await spawnPair({ both: { event_loop } });
    using conn = await Deno.connect({
      hostname: "127.0.0.1",
      port: pair.server.port,
    });
    await writeAll(conn, seededBytes(700, 3));
    const answer = readUntilClosed(conn).catch(() => undefined);
    const address = `127\\.0\\.0\\.1:${conn.localAddr.port}`;
    await pair.server.program.waitFor(new RegExp(`ERROR.*${address}\\b`));
    assert(await staysPending(answer, SILENCE), "the server reacted");
    const lines = pair.server.program.lines
      .filter((line) => new RegExp(`${address}\\b`).test(line));
    assertEquals(lines.length, 1, lines.join("\n"));
    await pair.server.program.stop();
    await withTimeout(answer, "the end of the connection");
  });

  Deno.test(`sslocal ends the connection over ${event_loop} when the target refuses`, async () => {
    await using pair = await spawnPair({ both: { event_loop } });
    const target: Target = { hostname: "127.0.0.1", port: freePort() };
    assertEquals(await bytesFrom(pair, target), 0);
    await request(pair.local.port, { count: 1, parallel: 1 });
  });

  Deno.test(`sslocal ends the connection over ${event_loop} when the server is not there`, async () => {
    await using pair = await spawnPair({ both: { event_loop } });
    await pair.server.program.stop();
    await using target = echoTarget();
    assertEquals(await bytesFrom(pair, target), 0);
    assertEquals(target.accepted, 0);
  });

  Deno.test(`ssserver refuses loopback over ${event_loop} when nothing allows it`, async () => {
    await using pair = await spawnPair({
      both: { event_loop },
      server: { forbidden_ip: "127.0.0.0/8,::1/128" },
    });
    await using target = echoTarget();
    await using datagrams = new UdpEcho();
    assertEquals(await bytesFrom(pair, target), 0);
    await pair.server.program.waitFor(/127\.0\.0\.1.*forbidden/);
    using association = await socks5UdpAssociate(pair.local.port);
    await association.send(datagrams, seededBytes(100, 4));
    await association.send(datagrams, seededBytes(100, 5));
    const echo = association.receive();
    assert(await staysPending(echo, SILENCE), "a datagram came back");
    echo.catch(() => {});
    assertEquals(target.accepted, 0);
    assertEquals(datagrams.received, 0);
  });

  Deno.test(`both roles go on over ${event_loop} when clients speak garbage`, async () => {
    await using pair = await spawnPair({ both: { event_loop } });
    const greeting = Uint8Array.of(5, 1, 0);
    const kinds = ["end", "reset"] as const;
    const attacks: Promise<void>[] = [];
    for (let seed = 0; seed < 40; seed++) {
      const noise = seededBytes(seed * 17, seed);
      for (const kind of kinds) {
        attacks.push(attack(pair.server.port, [noise], kind));
        attacks.push(attack(pair.local.port, [noise], kind));
        attacks.push(attack(pair.local.port, [greeting, noise], kind));
        attacks.push(attack(pair.local.port, [greeting.slice(0, 1)], kind));
      }
    }
    await withTimeout(Promise.all(attacks), "all attacks");
    await pelt([pair.server.port, pair.local.port]);
    await request(pair.local.port, { count: 20, parallel: 4 });
    const statuses = [
      await pair.local.program.stop(),
      await pair.server.program.stop(),
    ];
    if (Deno.build.os !== "windows") {
      assertEquals(statuses.map(({ code }) => code), [0, 0]);
    }
  });
}

Deno.test("ssserver refuses loopback when forbidden_ip is not given", async () => {
  await using strict = await spawnPair({ omit: ["forbidden_ip"] });
  await using target = echoTarget();
  assertEquals(await bytesFrom(strict, target), 0);
  assertEquals(target.accepted, 0);
  await strict.server.program.waitFor(/forbidden/);
});

/** The pollers of this system. */
function pollers(): readonly string[] {
  return Deno.build.os === "linux" ? ["epoll", "deno"] : ["deno"];
}

/** How many bytes come back until the proxy ends the connection. */
async function bytesFrom(pair: Pair, target: Target): Promise<number> {
  let conn: Deno.TcpConn;
  try {
    conn = await socks5Connect(pair.local.port, target);
  } catch (error) {
    if (error instanceof Socks5Refused) return 0;
    throw error;
  }
  try {
    await writeAll(conn, seededBytes(100, 6));
    const end = await withTimeout(readUntilClosed(conn), "the end");
    return end.bytes.length;
  } finally {
    conn.close();
  }
}

/** Sends datagrams of 0 to 119 bytes that mean nothing. */
async function pelt(ports: readonly number[]): Promise<void> {
  const address = { transport: "udp", hostname: "127.0.0.1" } as const;
  const socket = Deno.listenDatagram({ ...address, port: 0 });
  try {
    for (let length = 0; length < 120; length++) {
      for (const port of ports) {
        await socket.send(seededBytes(length, length), { ...address, port });
      }
    }
  } finally {
    socket.close();
  }
}

/** Sends pieces, then ends or resets the connection. */
function attack(
  port: number,
  pieces: readonly Uint8Array[],
  kind: "end" | "reset",
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connect({ host: "127.0.0.1", port });
  socket.on("error", () => {});
  socket.on("close", () => resolve());
  socket.on("connect", () => {
    socket.resume();
    for (const piece of pieces) if (piece.length > 0) socket.write(piece);
    const end = (): void => {
      // Deno 2.4 has no reset: there the connection ends without a farewell.
      const { resetAndDestroy } = socket as Partial<typeof socket>;
      if (kind === "end") socket.destroySoon();
      else if (resetAndDestroy === undefined) socket.destroy();
      else resetAndDestroy.call(socket);
    };
    socket.write("", end);
  });
  return promise;
}
