/**
 * Tests of CONNECT through an HTTP proxy on the way.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { type HandshakeAnswer, Target } from "../../relay/mod.ts";
import { HttpProxyHandshake } from "./http_proxy.ts";
import { text } from "../../tests/support/bytes.ts";

/** Gives `answer` in pieces that end at `cut` and at its end. */
function receive(answer: string, cut: number): HandshakeAnswer {
  const handshake = new HttpProxyHandshake(Target.of("a", 1));
  const bytes = new TextEncoder().encode(answer);
  const first = handshake.receive(bytes.slice(0, cut));
  if (first.kind !== "more") return first;
  const rest = handshake.receive(bytes.slice(first.consumed));
  return rest.kind === "failed"
    ? rest
    : { ...rest, consumed: rest.consumed + first.consumed };
}

Deno.test("HttpProxyHandshake.start() asks for the target, with its user", () => {
  const plain = new HttpProxyHandshake(Target.of("example.com", 443));
  assertEquals(
    text(plain.start()),
    "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n",
  );
  const user = { name: "ann", password: "secret" };
  const withUser = new HttpProxyHandshake(Target.of("::1", 22), user);
  assertEquals(
    text(withUser.start()),
    "CONNECT [::1]:22 HTTP/1.1\r\nHost: [::1]:22\r\n" +
      "Proxy-Authorization: Basic YW5uOnNlY3JldA==\r\n\r\n",
  );
});

Deno.test("HttpProxyHandshake.receive() is ready after a 2xx, at every cut", () => {
  const heads = [
    "HTTP/1.1 200 Connection established\r\n\r\n",
    "HTTP/1.0 200 OK\r\nProxy-Agent: x\r\n\r\n",
    "HTTP/1.1 299\r\nContent-Length: 5\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    "HTTP/1.1 200 OK\nX: y\n\n",
  ];
  for (const head of heads) {
    const answer = `${head}SSH-2.0`;
    for (let cut = 0; cut <= answer.length; cut++) {
      assertEquals(
        receive(answer, cut),
        { kind: "ready", consumed: head.length },
        head,
      );
    }
  }
});

Deno.test("HttpProxyHandshake.receive() tells why it has failed", () => {
  const cases: [string, string][] = [
    [
      "HTTP/1.1 407 Auth\r\nProxy-Authenticate: Basic\r\n\r\n",
      "proxy-auth",
    ],
    ["HTTP/1.1 403 Forbidden\r\n\r\n", "proxy-403"],
    ["HTTP/1.1 503 x\r\n\r\n", "proxy-503"],
    ["HTTP/1.1 302 x\r\nLocation: /\r\n\r\n", "proxy-302"],
    ["SSH-2.0-x\r\n\r\n", "proxy-answer"],
    ["HTTP/1.1 200 OK\r\nX\r\n\r\n", "proxy-answer"],
    [`HTTP/1.1 200 OK\r\nX: ${"a".repeat(65_536)}`, "proxy-answer"],
  ];
  for (const [answer, code] of cases) {
    for (const cut of [0, 1, 12, 20]) {
      assertEquals(
        receive(answer, cut),
        { kind: "failed", failure: { status: "server_failed", code } },
        answer.slice(0, 40),
      );
    }
  }
});
