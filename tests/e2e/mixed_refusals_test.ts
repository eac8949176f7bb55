/**
 * Clients of a mixed port that do wrong: each connection ends with the answer
 * that its protocol has, one status and at most one line of the log.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  accessLine,
  accessLinesOf,
  concat,
  freePort,
  HttpConn,
  HttpOrigin,
  readUntilClosed,
  withTimeout,
  writeAll,
} from "../support/mod.ts";
import { spawnMixedPair } from "./_mixed_fixture.ts";

const encoder = new TextEncoder();
const WRONG = `Proxy-Authorization: Basic ${btoa("alice:wrong")}\r\n`;
const GREETING = Uint8Array.of(5, 1, 0);

/** What a client sends, and what comes of it. */
interface Refusal {
  readonly name: string;
  /** Sent at once. */
  readonly sent: Uint8Array | string;
  /** Whether the port with users is asked. */
  readonly hasUsers?: boolean;
  /** Whether the client ends its direction then. */
  readonly leaves?: boolean;
  /** What comes back: SOCKS as numbers, HTTP as text. */
  readonly answer: RegExp;
  readonly status: string;
  /** The line of the log; undefined: there is none. */
  readonly log?: RegExp;
}

function refusals(closedPort: number): readonly Refusal[] {
  const [high, low] = [closedPort >> 8, closedPort & 0xff];
  const nowhere = Uint8Array.of(5, 1, 0, 1, 127, 0, 0, 1, high, low);
  const http = `http://127.0.0.1:${closedPort}/`;
  return [
    {
      name: "wrong credentials of SOCKS5",
      sent: Uint8Array.of(5, 1, 2, 1, 5, ...encoder.encode("alice"), 1, 120),
      hasUsers: true,
      answer: /^5,2,1,1$/,
      status: "auth_failed",
      log: /failed to handshake with 127\.0\.0\.1: /,
    },
    {
      name: "no method with a password",
      sent: GREETING,
      hasUsers: true,
      answer: /^5,255$/,
      status: "auth_failed",
      log: /failed to handshake with 127\.0\.0\.1: /,
    },
    {
      name: "SOCKS4 where there are users",
      sent: Uint8Array.of(4, 1, high, low, 127, 0, 0, 1, 0),
      hasUsers: true,
      answer: /^0,91,0,0,0,0,0,0$/,
      status: "auth_failed",
      log: /failed to handshake with 127\.0\.0\.1: /,
    },
    {
      name: "wrong credentials of HTTP",
      sent: `GET ${http} HTTP/1.1\r\nHost: x\r\n${WRONG}\r\n`,
      hasUsers: true,
      leaves: true,
      answer: /^HTTP\/1\.1 407 [^]*\r\nproxy-authenticate: basic /i,
      status: "auth_failed",
      log: /failed to handshake with 127\.0\.0\.1: /,
    },
    {
      name: "no credentials of HTTP/1.0",
      sent: `GET ${http} HTTP/1.0\r\n\r\n`,
      hasUsers: true,
      answer: /^HTTP\/1\.1 407 /,
      status: "auth_failed",
    },
    {
      name: "a head of more than 64 KiB",
      sent: `GET ${http} HTTP/1.1\r\nHost: x\r\nX: ${
        "a".repeat(65_536)
      }\r\n\r\n`,
      answer: /^HTTP\/1\.1 431 /,
      status: "error",
      log: /cannot serve HTTP request from 127\.0\.0\.1:\d+: /,
    },
    {
      name: "no HTTP after a letter",
      sent: "EHLO mail.example\r\n\r\n",
      answer: /^HTTP\/1\.1 400 /,
      status: "error",
      log: /cannot serve HTTP request from 127\.0\.0\.1:\d+: /,
    },
    {
      name: "BIND of SOCKS5",
      sent: concat(GREETING, Uint8Array.of(5, 2), nowhere.subarray(2)),
      answer: /^5,0,5,7,0,1,0,0,0,0,0,0$/,
      status: "error",
      log: /cannot serve SOCKS5 request from 127\.0\.0\.1:\d+: /,
    },
    {
      name: "TLS",
      sent: Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3),
      answer: /^$/,
      status: "error",
      log: /cannot serve TLS handshake from 127\.0\.0\.1:\d+: an https:/,
    },
    {
      name: "bytes of no protocol",
      sent: Uint8Array.of(0, 1, 2, 3, 4, 5),
      answer: /^$/,
      status: "error",
      log: /cannot serve unknown protocol from 127\.0\.0\.1:\d+: neither /,
    },
    {
      name: "half a request of HTTP",
      sent: `GET ${http} HTTP/1.1\r\nHo`,
      leaves: true,
      answer: /^$/,
      status: "client_reset",
    },
    {
      name: "half a request of SOCKS5",
      sent: concat(GREETING, nowhere.subarray(0, 5)),
      leaves: true,
      answer: /^5,0$/,
      status: "client_reset",
    },
    {
      name: "half a name and password",
      sent: Uint8Array.of(5, 1, 2, 1, 5, 97, 108),
      hasUsers: true,
      leaves: true,
      answer: /^5,2$/,
      status: "client_reset",
    },
  ];
}

Deno.test("sslocal ends connections that do wrong as their protocol has it", async (t) => {
  await using pair = await spawnMixedPair();
  await using origin = new HttpOrigin();
  const { program } = pair.local;
  for (const refusal of refusals(freePort())) {
    await t.step(refusal.name, async () => {
      const from = program.output.length;
      const port = refusal.hasUsers === true ? pair.closed : pair.open;
      using conn = await Deno.connect({ hostname: "127.0.0.1", port });
      const { sent } = refusal;
      await writeAll(
        conn,
        typeof sent === "string" ? encoder.encode(sent) : sent,
      );
      if (refusal.leaves === true) await conn.closeWrite();
      const end = await withTimeout(readUntilClosed(conn), "the end");
      assertMatch(
        typeof sent === "string" && sent.startsWith("CONNECT ") ||
          typeof sent === "string"
          ? new TextDecoder().decode(end.bytes)
          : end.bytes.join(),
        refusal.answer,
      );
      const client = `127.0.0.1:${conn.localAddr.port}`;
      const line = await accessLine(program, { client });
      assertEquals(line.status, refusal.status);
      // Whatever is logged about the client is logged before this is served.
      {
        using other = await HttpConn.open(pair.open);
        await other.sendHead(`GET ${origin.url}/ HTTP/1.1`, "Host: x");
        assertEquals((await other.answer()).status, 200);
      }
      const lines = program.output.slice(from).split("\n").filter((each) =>
        each !== "" && !each.startsWith("{") && !each.includes(" connecting ")
      );
      if (refusal.log === undefined) assertEquals(lines, []);
      else {
        assertEquals(lines.length, 1, lines.join("\n"));
        assertMatch(lines[0]!, refusal.log);
      }
      assertEquals((await accessLinesOf(program, { client }, 1)).length, 1);
    });
  }
  const output = program.output;
  assert(!output.includes("wrong\n") && !output.includes(btoa("alice:wrong")));
});

Deno.test("sslocal tells its clients that the target is not reached", async () => {
  const closed = freePort();
  await using pair = await spawnMixedPair({
    locals: [
      { local_address: "127.0.0.1", local_port: 0, outbound: "direct" },
      { local_address: "127.0.0.1", local_port: 0 },
    ],
  });
  const { program } = pair.local;
  const host = `127.0.0.1:${closed}`;
  const [high, low] = [closed >> 8, closed & 0xff];
  for (
    const [sent, answer] of [
      [`GET http://${host}/ HTTP/1.1\r\nHost: x\r\n\r\n`, /^HTTP\/1\.1 502 /],
      [`CONNECT ${host} HTTP/1.1\r\nHost: x\r\n\r\n`, /^HTTP\/1\.1 502 /],
      [
        Uint8Array.of(5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, high, low),
        /^5,0,5,5,0,1,0,0,0,0,0,0$/,
      ],
      [Uint8Array.of(4, 1, high, low, 127, 0, 0, 1, 0), /^0,91,0,0,0,0,0,0$/],
    ] as const
  ) {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: pair.open });
    const isText = typeof sent === "string";
    await writeAll(conn, isText ? encoder.encode(sent) : sent);
    const { bytes } = await withTimeout(readUntilClosed(conn), "the end");
    assertMatch(
      isText ? new TextDecoder().decode(bytes) : bytes.join(),
      answer,
    );
    const line = await accessLine(program, {
      client: `127.0.0.1:${conn.localAddr.port}`,
    });
    assertEquals(line.status, "dial_failed");
    assertEquals([line.target, line.outbound], [host, "direct"]);
  }
  // The server cannot say why: it resets the connection.
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: pair.closed });
  const sent = `GET http://${host}/ HTTP/1.1\r\nHost: x\r\n\r\n`;
  await writeAll(conn, encoder.encode(sent));
  const { bytes } = await withTimeout(readUntilClosed(conn), "the end");
  assertMatch(new TextDecoder().decode(bytes), /^HTTP\/1\.1 502 /);
  await accessLine(program, {
    client: `127.0.0.1:${conn.localAddr.port}`,
    status: "target_reset",
  });
});
