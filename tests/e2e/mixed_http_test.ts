/**
 * HTTP through the mixed port by a client that writes its requests itself.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  accessLine,
  accessLinesOf,
  HttpConn,
  HttpOrigin,
  readExactly,
  seededBytes,
  sha256,
  TcpTarget,
  withTimeout,
  writeAll,
} from "../support/mod.ts";
import { ALICE, spawnMixedPair } from "./_mixed_fixture.ts";

const AUTHORIZATION = `Proxy-Authorization: Basic ${
  btoa(`${ALICE.name}:${ALICE.password}`)
}`;

/** Switches to a protocol in which the origin echoes, as a WebSocket would. */
function upgradeTarget(): TcpTarget {
  return new TcpTarget(async (conn) => {
    const head = new HttpConn(conn);
    let text = "";
    while (!text.endsWith("\r\n\r\n")) text += await head.read(1);
    await head.sendHead(
      "HTTP/1.1 101 Switching Protocols",
      "Connection: upgrade",
      "Upgrade: websocket",
      `X-Asked: ${/^upgrade: (.*)$/im.exec(text)?.[1]?.trim()}`,
    );
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      const count = await conn.read(buffer);
      if (count === null) return;
      await writeAll(conn, buffer.subarray(0, count));
    }
  });
}

Deno.test("sslocal fetches from two origins over one connection of a client", async () => {
  await using pair = await spawnMixedPair();
  await using one = new HttpOrigin("one");
  await using two = new HttpOrigin("two");
  const rounds = [one, one, two, one, two, two];
  for (const port of [pair.open, pair.closed]) {
    using conn = await HttpConn.open(port);
    const fields = port === pair.closed ? [AUTHORIZATION] : [];
    for (const [i, origin] of rounds.entries()) {
      await conn.sendHead(
        `POST ${origin.url}/${i}?q=1 HTTP/1.1`,
        `Host: ${origin.authority}`,
        "Content-Length: 4",
        "Proxy-Connection: keep-alive",
        ...fields,
      );
      await conn.send("body");
      const answer = await withTimeout(conn.answer(), `answer ${i}`);
      const name = origin === one ? "one" : "two";
      assertEquals(answer.body, `${name} POST /${i}?q=1 body`);
    }
    const client = `127.0.0.1:${conn.localPort}`;
    await conn.conn.closeWrite();
    assertEquals(await conn.readToEnd(), "");
    const user = port === pair.closed ? ALICE.name : "";
    const lines = await accessLinesOf(pair.local.program, { client }, 4);
    assertEquals(
      lines.map(({ target, status }) => [target, status]),
      [one, two, one, two].map(({ authority }) => [authority, "ok"]),
    );
    for (const line of lines) assertEquals(line.user, user);
  }
  for (const { headers } of [...one.requests, ...two.requests]) {
    assertEquals(headers.get("proxy-authorization"), null);
    assertEquals(headers.get("proxy-connection"), null);
  }
});

Deno.test("sslocal fetches what a client has asked for before the answers", async () => {
  await using pair = await spawnMixedPair();
  await using one = new HttpOrigin("one");
  await using two = new HttpOrigin("two");
  using conn = await HttpConn.open(pair.open);
  const order = [one, one, two, one];
  await conn.send(
    order.map(({ url }, i) => `GET ${url}/${i} HTTP/1.1\r\nHost: x\r\n\r\n`)
      .join(""),
  );
  for (const [i, origin] of order.entries()) {
    const answer = await withTimeout(conn.answer(), `answer ${i}`);
    const name = origin === one ? "one" : "two";
    assertEquals(answer.body, `${name} GET /${i} `);
  }
});

Deno.test("sslocal passes an upload in chunks on", async () => {
  await using pair = await spawnMixedPair();
  await using origin = new HttpOrigin();
  using conn = await HttpConn.open(pair.open);
  await conn.sendHead(
    `PUT ${origin.url}/up HTTP/1.1`,
    "Host: x",
    "Transfer-Encoding: chunked",
  );
  const piece = "p".repeat(20_000);
  for (let i = 0; i < 10; i++) {
    await conn.send(`${piece.length.toString(16)}\r\n${piece}\r\n`);
  }
  await conn.send("0\r\n\r\n");
  const answer = await withTimeout(conn.answer(), "the answer");
  assertEquals(answer.body, `origin PUT /up ${piece.repeat(10)}`);
  await conn.sendHead(`GET ${origin.url}/next HTTP/1.1`, "Host: x");
  assertEquals((await conn.answer()).body, "origin GET /next ");
});

Deno.test("sslocal passes all bytes after an upgrade", async () => {
  await using pair = await spawnMixedPair();
  await using origin = upgradeTarget();
  using conn = await HttpConn.open(pair.open);
  await conn.sendHead(
    `GET http://127.0.0.1:${origin.port}/chat HTTP/1.1`,
    "Host: x",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  );
  const answer = await withTimeout(conn.answer(), "the switch");
  assertEquals(answer.status, 101);
  assertEquals(answer.headers.get("x-asked"), "websocket");
  const frames = seededBytes(200_000, 1);
  const sending = writeAll(conn.conn, frames);
  const back = await withTimeout(
    readExactly(conn.conn, frames.length),
    "the frames",
  );
  await sending;
  assertEquals(await sha256(back), await sha256(frames));
});

Deno.test("sslocal answers a client of HTTP/1.0", async () => {
  await using pair = await spawnMixedPair();
  await using origin = new HttpOrigin();
  using conn = await HttpConn.open(pair.open);
  await conn.sendHead(`GET ${origin.url}/old HTTP/1.0`);
  const answer = await withTimeout(conn.answer(), "the answer");
  assertEquals(answer.status, 200);
  assertEquals(answer.headers.get("transfer-encoding"), null);
  assertEquals(answer.body, "origin GET /old ");
  assertEquals(await withTimeout(conn.readToEnd(), "the end"), "");
});

Deno.test("sslocal closes with the answer when the client has said so, whatever the origin does", async () => {
  await using pair = await spawnMixedPair();
  let floods = false;
  const ended: (() => void)[] = [];
  await using origin = new TcpTarget(async (conn) => {
    try {
      await new HttpConn(conn).sendHead("HTTP/1.1 200 OK", "Content-Length: 0");
      const piece = new Uint8Array(floods ? 65_536 : 0);
      while (floods) await writeAll(conn, piece);
      while (await conn.read(new Uint8Array(1024)) !== null);
    } catch {
      // The reset of a connection that is left while it still sends.
    }
    ended.shift()?.();
  });
  const url = `http://127.0.0.1:${origin.port}/`;
  for (floods of [false, true]) {
    for (
      const head of [
        [`GET ${url} HTTP/1.0`],
        [`GET ${url} HTTP/1.1`, "Host: x", "Connection: close"],
      ]
    ) {
      const { promise, resolve } = Promise.withResolvers<void>();
      ended.push(resolve);
      using conn = await HttpConn.open(pair.open);
      await conn.sendHead(...head);
      assertEquals(
        await withTimeout(conn.readToEnd(), "the end"),
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
      );
      await withTimeout(promise, "the end of the origin's connection");
    }
  }
  await accessLinesOf(pair.local.program, { status: "ok" }, 4);
});

Deno.test("sslocal asks for a password again on the same connection", async () => {
  await using pair = await spawnMixedPair();
  await using origin = new HttpOrigin();
  using conn = await HttpConn.open(pair.closed);
  const wrong = `Proxy-Authorization: Basic ${btoa("alice:wrong")}`;
  for (const fields of [[], [wrong], [AUTHORIZATION]]) {
    await conn.sendHead(
      `POST ${origin.url}/p HTTP/1.1`,
      "Host: x",
      "Content-Length: 3",
      ...fields,
    );
    await conn.send("abc");
    const answer = await withTimeout(conn.answer(), "the answer");
    if (fields[0] === AUTHORIZATION) {
      assertEquals(answer.body, "origin POST /p abc");
      break;
    }
    assertEquals(answer.status, 407);
    assertStringIncludes(answer.headers.get("proxy-authenticate")!, "Basic");
  }
  const client = `127.0.0.1:${conn.localPort}`;
  await conn.conn.closeWrite();
  const line = await accessLine(pair.local.program, { client });
  assertEquals([line.user, line.status], [ALICE.name, "ok"]);
  assertEquals(origin.requests.length, 1);
});
