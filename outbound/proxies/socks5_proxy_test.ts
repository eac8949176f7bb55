/**
 * The handshake with a SOCKS5 proxy: cut anywhere, refused, hostile.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Target } from "../../relay/mod.ts";
import { HandshakeRun } from "./_handshake_fixture.ts";
import { Socks5ProxyHandshake } from "../mod.ts";
import { bytesOf } from "../../tests/support/bytes.ts";

const NAME = Target.of("example.com", 443);
const NAME_HEADER = bytesOf(3, 11, "example.com", 1, 187);
const BOUND = bytesOf(1, 0, 0, 0, 0, 0, 0);
const USER = { user: "alice", password: "pä" };
const CREDENTIALS = bytesOf(1, 5, "alice", 3, "p\xc3\xa4");

/** Conversations that open the way. */
const TALKS: readonly {
  readonly name: string;
  readonly user?: string;
  readonly password?: string;
  readonly target: Target;
  readonly answers: Uint8Array;
  readonly sent: Uint8Array;
}[] = [
  {
    name: "without a name",
    target: NAME,
    answers: bytesOf(5, 0, 5, 0, 0, BOUND),
    sent: bytesOf(5, 1, 0, 5, 1, 0, NAME_HEADER),
  },
  {
    name: "with a name that the proxy does not ask for",
    ...USER,
    target: NAME,
    answers: bytesOf(5, 0, 5, 0, 0, 3, 2, "me", 0, 1),
    sent: bytesOf(5, 2, 0, 2, 5, 1, 0, NAME_HEADER),
  },
  {
    name: "with name and password",
    ...USER,
    target: NAME,
    answers: bytesOf(5, 2, 1, 0, 5, 0, 0, 4, new Uint8Array(16), 0, 1),
    sent: bytesOf(5, 2, 0, 2, CREDENTIALS, 5, 1, 0, NAME_HEADER),
  },
  {
    name: "with a name alone",
    user: "me",
    target: NAME,
    answers: bytesOf(5, 2, 5, 0, 5, 0, 0, BOUND),
    sent: bytesOf(5, 2, 0, 2, 1, 2, "me", 0, 5, 1, 0, NAME_HEADER),
  },
  {
    name: "for an IPv4 address",
    target: Target.of("192.0.2.7", 80),
    answers: bytesOf(5, 0, 5, 0, 0, BOUND),
    sent: bytesOf(5, 1, 0, 5, 1, 0, 1, 192, 0, 2, 7, 0, 80),
  },
  {
    name: "for an IPv6 address",
    target: Target.of("::1", 80),
    answers: bytesOf(5, 0, 5, 0, 0, BOUND),
    sent: bytesOf(5, 1, 0, 5, 1, 0, 4, new Uint8Array(15), 1, 0, 80),
  },
];
for (const { name, answers, sent, ...options } of TALKS) {
  Deno.test(`Socks5ProxyHandshake opens the way ${name}, cut anywhere`, () => {
    for (const payload of ["", "SSH-2.0"]) {
      const all = bytesOf(answers, payload);
      const cuts = [[all], Array.from(all, (byte) => bytesOf(byte))];
      for (let cut = 1; cut < all.length; cut++) {
        cuts.push([all.subarray(0, cut), all.subarray(cut)]);
      }
      for (const pieces of cuts) {
        const run = new HandshakeRun(new Socks5ProxyHandshake(options));
        run.bring(...pieces);
        assertEquals(run.result, "ready");
        assertEquals(run.sent, sent);
        assertEquals(run.rest, bytesOf(payload));
      }
      for (let length = 0; length < answers.length; length++) {
        const run = new HandshakeRun(new Socks5ProxyHandshake(options));
        assertEquals(run.bring(all.subarray(0, length)).result, "more");
      }
    }
  });
}

/** Answers that end it. */
const FAILURES: readonly {
  readonly name: string;
  readonly answers: Uint8Array;
  readonly result: string;
  readonly user?: string;
  readonly target?: Target;
}[] = [
  ...[
    [1, "server_failed proxy-refused"],
    [2, "dial_failed EACCES"],
    [3, "dial_failed ENETUNREACH"],
    [4, "dial_failed EHOSTUNREACH"],
    [5, "dial_failed ECONNREFUSED"],
    [6, "dial_failed ETIMEDOUT"],
    [7, "server_failed proxy-refused"],
    [8, "server_failed proxy-refused"],
    [9, "server_failed proxy-refused"],
    [255, "server_failed proxy-refused"],
  ].map(([code, result]) => ({
    name: `the reply ${code}`,
    answers: bytesOf(5, 0, 5, Number(code)),
    result: String(result),
  })),
  {
    name: "no method",
    answers: bytesOf(5, 255),
    result: "server_failed proxy-auth",
  },
  {
    name: "a method that was not offered",
    answers: bytesOf(5, 1),
    result: "server_failed proxy-answer",
  },
  {
    name: "a password wanted when there is none",
    answers: bytesOf(5, 2),
    result: "server_failed proxy-answer",
  },
  {
    name: "a wrong password",
    answers: bytesOf(5, 2, 1, 1),
    result: "server_failed proxy-auth",
    user: "alice",
  },
  {
    name: "a name that is too long for the password exchange",
    answers: bytesOf(5, 2),
    result: "server_failed proxy-auth",
    user: "u".repeat(256),
  },
  {
    name: "a target that no request can hold",
    answers: bytesOf(5, 0),
    result: "server_failed proxy-refused",
    target: Target.of("d".repeat(256), 80),
  },
  {
    name: "SOCKS4",
    answers: bytesOf(0, 0x5a),
    result: "server_failed proxy-answer",
  },
  {
    name: "HTTP",
    answers: bytesOf("HTTP/1.1 400"),
    result: "server_failed proxy-answer",
  },
  {
    name: "another version in the reply",
    answers: bytesOf(5, 0, 4),
    result: "server_failed proxy-answer",
  },
  {
    name: "another version in the verdict",
    answers: bytesOf(5, 2, 9),
    result: "server_failed proxy-answer",
    user: "alice",
  },
  {
    name: "a bound address of an unknown type",
    answers: bytesOf(5, 0, 5, 0, 0, 9),
    result: "server_failed proxy-answer",
  },
];
for (const { name, answers, result, user, target = NAME } of FAILURES) {
  Deno.test(`Socks5ProxyHandshake fails when the proxy answers ${name}`, () => {
    for (const pieces of [[answers], Array.from(answers, (b) => bytesOf(b))]) {
      const run = new HandshakeRun(new Socks5ProxyHandshake({ target, user }));
      assertEquals(run.bring(...pieces).result, result);
    }
  });
}

Deno.test("Socks5ProxyHandshake never throws, and decides within 520 bytes, whatever a proxy sends", () => {
  let state = 11;
  const random = (limit: number): number => {
    state = state * 48_271 % 0x7fffffff;
    return state % limit;
  };
  for (let round = 0; round < 1_000; round++) {
    const { answers, sent: _, ...options } = TALKS[random(TALKS.length)]!;
    const tail = Uint8Array.from({ length: 520 }, () => random(256));
    const bytes = bytesOf(answers, tail);
    for (let flips = random(4); flips > 0; flips--) {
      bytes[random(answers.length)] = random(256);
    }
    const cut = random(bytes.length);
    const run = new HandshakeRun(new Socks5ProxyHandshake(options));
    run.bring(bytes.subarray(0, cut), bytes.subarray(cut));
    assert(run.result !== "more", `${bytes}`);
  }
});
