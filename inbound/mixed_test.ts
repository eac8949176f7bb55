/**
 * SOCKS and HTTP on one port: who gets which connection.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { SocketAddress } from "../loop/mod.ts";
import {
  type Inbound,
  type InboundAnswer,
  type InboundStream,
  type Session,
  type StreamCodec,
  Target,
} from "../relay/mod.ts";
import { CLIENT, openSession, ProxyClient } from "./_proxy_client_fixture.ts";
import { MixedInbound, SocksInbound } from "./mod.ts";
import { bytesOf } from "../tests/support/bytes.ts";
import { LogCapture } from "../tests/support/logs.ts";

const CODEC = {} as StreamCodec;

/** Stands for HTTP: one line is a request, and another one may follow. */
class FakeHttp implements Inbound {
  readonly sessions: Session[] = [];
  disposed = 0;

  accept(session: Session): InboundStream {
    this.sessions.push(session);
    return {
      receive: (data) => this.#receive(data),
      connected: () => bytesOf("yes"),
      failed: ({ code }) => ({ reply: bytesOf(code), ending: "drain" }),
      onCodecFailed: () => ({ status: "error", ending: "close" }),
      codec: CODEC,
      finished: true,
      [Symbol.dispose]: () => {
        this.disposed++;
      },
    };
  }

  next(_stream: InboundStream, session: Session): void {
    this.sessions.push(session);
  }

  #receive(data: Uint8Array): InboundAnswer {
    const consumed = data.indexOf(10) + 1;
    if (consumed === 0) return { kind: "more", consumed };
    return { kind: "request", consumed, target: Target.of("web.example", 80) };
  }
}

function newMixed(): { readonly mixed: MixedInbound; readonly http: FakeHttp } {
  const http = new FakeHttp();
  return { mixed: new MixedInbound({ socks: new SocksInbound(), http }), http };
}

Deno.test("MixedInbound gives a connection to the protocol of its first byte", () => {
  using logs = new LogCapture();
  const { mixed, http } = newMixed();
  const socks5 = bytesOf(5, 1, 0, 5, 1, 0, 1, 192, 0, 2, 7, 0, 80, "x");
  const socks4 = bytesOf(4, 1, 0, 80, 192, 0, 2, 7, 0, "x");
  for (const sent of [socks5, socks4]) {
    for (const pieces of [[sent], Array.from(sent, (byte) => bytesOf(byte))]) {
      const client = new ProxyClient(mixed).bring(...pieces);
      assertEquals(client.asked, "192.0.2.7:80");
      assertEquals(client.rest, bytesOf("x"));
      assertEquals(client.stream.codec, undefined);
      assertEquals(client.stream.finished, false);
    }
  }
  for (
    const method of ["GET", "CONNECT", "a", "z", "A", "Z", "m-search", "!9"]
  ) {
    const sent = bytesOf(method, " /\n");
    for (const pieces of [[sent], Array.from(sent, (byte) => bytesOf(byte))]) {
      const client = new ProxyClient(mixed).bring(...pieces);
      assertEquals(client.asked, "web.example:80");
      assertStrictEquals(http.sessions.pop(), client.session);
    }
  }
  assertEquals(logs.lines, []);
});

Deno.test("MixedInbound refuses every other first byte with one line", () => {
  const { mixed, http } = newMixed();
  for (let first = 0; first < 256; first++) {
    const isToken = /[\w!#$%&'*+.^`|~-]/.test(String.fromCharCode(first));
    if (isToken || first === 4 || first === 5) continue;
    using logs = new LogCapture();
    const client = new ProxyClient(mixed).bring(bytesOf(first, 1, 2, 3));
    assertEquals(client.refused, "error close");
    assertEquals(client.sent, bytesOf());
    const refused = first === 0x16
      ? ["TLS handshake", "an https:// proxy is not served"]
      : ["unknown protocol", "neither SOCKS nor HTTP"];
    assertEquals(logs.lines, [
      `warning: cannot serve ${refused[0]} from ${CLIENT}: ${
        refused[1]
      }; use http:// or socks5://`,
    ]);
  }
  assertEquals(http.sessions, []);
});

Deno.test("MixedInbound passes everything on to the chosen protocol", () => {
  const { mixed, http } = newMixed();
  const client = new ProxyClient(mixed).bring(bytesOf("GET /\n"));
  const { stream } = client;
  assertEquals(stream.connected(), bytesOf("yes"));
  assertEquals(stream.failed({ status: "dial_failed", code: "why" }), {
    reply: bytesOf("why"),
    ending: "drain",
  });
  assertEquals(stream.onCodecFailed?.(), { status: "error", ending: "close" });
  assertStrictEquals(stream.codec, CODEC);
  assertEquals(stream.finished, true);
  const session = openSession();
  mixed.next(stream, session);
  assertStrictEquals(http.sessions[1], session);
  stream[Symbol.dispose]();
  assertEquals(http.disposed, 1);
});

Deno.test("MixedInbound passes UDP ASSOCIATE on to SOCKS", () => {
  const { mixed } = newMixed();
  const client = new ProxyClient(mixed).bring(
    bytesOf(5, 1, 0, 5, 3, 0, 1, 0, 0, 0, 0, 0, 0),
  );
  assertEquals(client.asked, "associate");
  assertEquals(
    client.stream.associated?.(SocketAddress.parse("127.0.0.1", 256)),
    bytesOf(5, 0, 0, 1, 127, 0, 0, 1, 1, 0),
  );
});

Deno.test("MixedInbound holds nothing when a connection ends before its first byte", () => {
  const { mixed } = newMixed();
  const { answer, stream } = new ProxyClient(mixed);
  assertEquals(answer, { kind: "more", consumed: 0 });
  mixed.next(stream, openSession());
  stream[Symbol.dispose]();
});
