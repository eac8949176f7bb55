/**
 * A way through other proxies: the order of the words, and whose fault a
 * failure is.
 *
 * @module
 */

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { SocketAddress } from "../../loop/mod.ts";
import {
  type Failure,
  type HandshakeAnswer,
  type Outbound,
  type OutboundHandshake,
  type OutboundPackets,
  type OutboundStream,
  type Session,
  Sessions,
  type StreamCodec,
  Target,
} from "../../relay/mod.ts";
import { HandshakeRun } from "./_handshake_fixture.ts";
import { type ProxyHop, ProxyOutbound, Socks5ProxyHandshake } from "../mod.ts";
import { bytesOf } from "../../tests/support/bytes.ts";

const CODEC = {} as StreamCodec;
const TARGET = Target.of("web.example", 443);
const SERVER = Target.of("ss.example", 8388);
const SESSION: Session = new Sessions().open({
  listener: { protocol: "test", port: 1 },
  network: "tcp",
  client: SocketAddress.parse("127.0.0.1", 1),
}, 0);

/** Takes `ok:` followed by the next hop; anything else is a failure. */
class FakeWords implements OutboundHandshake {
  readonly #ready: string;
  readonly #name: string;

  constructor(name: string, next: Target) {
    this.#name = name;
    this.#ready = `ok ${next};`;
  }

  start(): Uint8Array {
    return bytesOf(`${this.#name}?`);
  }

  receive(data: Uint8Array): HandshakeAnswer {
    const { length } = this.#ready;
    const text = String.fromCharCode(...data.subarray(0, length));
    if (text === this.#ready) return { kind: "ready", consumed: length };
    return this.#ready.startsWith(text)
      ? { kind: "more", consumed: 0 }
      : { kind: "failed", failure: { status: "dial_failed", code: text } };
  }
}

/** A way that leads to a server, or directly to the target. */
class FakeInner implements Outbound {
  readonly name = "inner";
  readonly heard: string[] = [];
  handshake: OutboundHandshake | undefined = undefined;
  isDirect = false;
  isBlocked = false;
  lastStream: OutboundStream | undefined;

  pick(): Outbound {
    return this;
  }

  open(target: Target): OutboundStream {
    const { heard, handshake, isDirect } = this;
    this.lastStream = {
      destination: this.isBlocked ? undefined : isDirect ? target : SERVER,
      isDirect,
      fastOpen: true,
      handshake,
      codec: CODEC,
      [Symbol.dispose]: () => heard.push("disposed"),
    };
    return this.lastStream;
  }

  openPackets(): OutboundPackets {
    throw new Error("asked for datagrams");
  }

  onCodecFailed(remote: SocketAddress): void {
    this.heard.push(`codec ${remote}`);
  }

  onReached(milliseconds: number): void {
    this.heard.push(`reached ${milliseconds}`);
  }

  onUnreached({ code }: Failure): void {
    this.heard.push(`unreached ${code}`);
  }
}

/** Proxies named a, b, … */
function hops(count: number): ProxyHop[] {
  return Array.from({ length: count }, (_, i) => {
    const name = "abc"[i]!;
    return {
      target: Target.of(`${name}.example`, 1080),
      handshake: (next) => new FakeWords(name, next),
    };
  });
}

function begin(inner: FakeInner, count: number): HandshakeRun {
  const stream = new ProxyOutbound(inner, hops(count)).open(TARGET, SESSION);
  return new HandshakeRun(stream.handshake!);
}

/** What the proxies answer, and what they have been sent in the end. */
const WAYS: readonly {
  readonly count: number;
  readonly isDirect: boolean;
  readonly answers: string;
  readonly sent: string;
}[] = [
  { count: 1, isDirect: false, answers: "ok ss.example:8388;", sent: "a?" },
  { count: 1, isDirect: true, answers: "ok web.example:443;", sent: "a?" },
  {
    count: 2,
    isDirect: false,
    answers: "ok b.example:1080;ok ss.example:8388;",
    sent: "a?b?",
  },
  {
    count: 3,
    isDirect: true,
    answers: "ok b.example:1080;ok c.example:1080;ok web.example:443;",
    sent: "a?b?c?",
  },
];
for (const { count, isDirect, answers, sent } of WAYS) {
  Deno.test(`ProxyOutbound asks ${count} proxies one after the other when the way is ${isDirect ? "direct" : "a server"}`, () => {
    const inner = new FakeInner();
    inner.isDirect = isDirect;
    const all = bytesOf(answers, "payload");
    for (const pieces of [[all], Array.from(all, (byte) => bytesOf(byte))]) {
      const run = begin(inner, count).bring(...pieces);
      assertEquals(run.result, "ready");
      assertEquals(run.sent, bytesOf(sent));
      assertEquals(run.rest, bytesOf("payload"));
    }
  });
}

Deno.test("ProxyOutbound does not speak with a proxy before the one in front of it has opened the way", () => {
  const run = begin(new FakeInner(), 2);
  run.bring(bytesOf("ok b.example:1080"));
  assertEquals([run.result, run.sent], ["more", bytesOf("a?")]);
  run.bring(bytesOf(";"));
  assertEquals([run.result, run.sent], ["more", bytesOf("a?b?")]);
});

Deno.test("ProxyOutbound speaks with the proxies of the way behind it last", () => {
  const inner = new FakeInner();
  inner.handshake = new FakeWords("z", TARGET);
  const run = begin(inner, 1);
  run.bring(bytesOf("ok ss.example:8388;"));
  assertEquals([run.result, run.sent], ["more", bytesOf("a?z?")]);
  assertEquals(run.bring(bytesOf("ok web.example:443;")).result, "ready");
  const other = begin(inner, 1);
  other.bring(bytesOf("ok ss.example:8388;no"));
  assertEquals(other.result, "dial_failed no");
});

/** Who fails, and how it is judged. */
const FAILURES: readonly (readonly [string, number, boolean, string])[] = [
  ["the only proxy, of a server", 0, false, "server_failed no"],
  ["the first of two, directly", 0, true, "server_failed no"],
  ["the last of two, of a server", 1, false, "server_failed no"],
  ["the last of two, directly", 1, true, "dial_failed no"],
];
for (const [name, place, isDirect, result] of FAILURES) {
  Deno.test(`ProxyOutbound says ${result} when the target is not reached by ${name}`, () => {
    const inner = new FakeInner();
    inner.isDirect = isDirect;
    const run = begin(inner, 2);
    if (place === 1) run.bring(bytesOf("ok b.example:1080;"));
    assertEquals(run.bring(bytesOf("no")).result, result);
  });
}

Deno.test("ProxyOutbound goes through two SOCKS5 proxies", () => {
  const inner = new FakeInner();
  const handshake = (target: Target): OutboundHandshake =>
    new Socks5ProxyHandshake({ target });
  const way = new ProxyOutbound(inner, [
    { target: Target.of("192.0.2.1", 1080), handshake },
    { target: Target.of("192.0.2.2", 1081), handshake },
  ]);
  const stream = way.open(TARGET, SESSION);
  assertEquals(`${stream.destination}`, "192.0.2.1:1080");
  const answer = bytesOf(5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0);
  const run = new HandshakeRun(stream.handshake!);
  for (const byte of bytesOf(answer, answer, "salt")) run.bring(bytesOf(byte));
  assertEquals(run.result, "ready");
  assertEquals(run.rest, bytesOf("salt"));
  assertEquals(
    run.sent,
    bytesOf(
      ...[5, 1, 0, 5, 1, 0, 1, 192, 0, 2, 2, 4, 57],
      ...[5, 1, 0, 5, 1, 0, 3, 10, "ss.example", 0x20, 0xc4],
    ),
  );
});

Deno.test("ProxyOutbound gives the stream of the way behind it, but for destination and words", () => {
  const inner = new FakeInner();
  const way = new ProxyOutbound(inner, hops(2));
  const stream = way.open(TARGET, SESSION);
  assertEquals(`${stream.destination}`, "a.example:1080");
  assertEquals([stream.isDirect, stream.fastOpen], [false, false]);
  assertStrictEquals(stream.codec, CODEC);
  way.onCodecFailed(SESSION.client);
  stream[Symbol.dispose]();
  way.onReached(5);
  way.onUnreached({ status: "server_failed", code: "ETIMEDOUT" });
  assertEquals(inner.heard, [
    `codec ${SESSION.client}`,
    "disposed",
    "reached 5",
    "unreached ETIMEDOUT",
  ]);
});

Deno.test("ProxyOutbound connects to nobody when the session is blocked", () => {
  const inner = new FakeInner();
  inner.isBlocked = true;
  const stream = new ProxyOutbound(inner, hops(1)).open(TARGET, SESSION);
  assertStrictEquals(stream, inner.lastStream);
});

Deno.test("ProxyOutbound has the name of the way behind it, picks itself once, and has no UDP", () => {
  const way = new ProxyOutbound(new FakeInner(), hops(1));
  assertEquals(way.name, "inner");
  assertStrictEquals(way.pick(SESSION, []), way);
  assertEquals(way.pick(SESSION, [way]), undefined);
  assertEquals(way.openPackets().refused, "server_failed");
  assertThrows(() => new ProxyOutbound(new FakeInner(), []), RangeError);
});
