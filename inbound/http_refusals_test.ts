/**
 * Tests of the HTTP proxy's users, refusals and failures.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Failure } from "../relay/mod.ts";
import { ProxyClient } from "./_proxy_client_fixture.ts";
import { FakeHandler } from "./_http_fixture.ts";
import { HttpInbound } from "./http.ts";
import { bytesOf } from "../tests/support/bytes.ts";
import { LogCapture } from "../tests/support/logs.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const USERS = [
  { name: "ann", password: "secret" },
  { name: "bob", password: "pässword" },
];
const ANN = `Proxy-Authorization: Basic ${btoa("ann:secret")}\r\n`;
const BOB = `Proxy-Authorization: Basic ${btoa("bob:p\xc3\xa4ssword")}\r\n`;
const WRONG = `Proxy-Authorization: Basic ${btoa("ann:wrong")}\r\n`;

function get(host: string, fields = ""): string {
  return `GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`;
}

function isChallenge(text: string): boolean {
  return text.startsWith("HTTP/1.1 407 ") &&
    text.includes("\r\nProxy-Authenticate: Basic realm=");
}

Deno.test("HttpStream.receive() asks for a name and a password on one connection", () => {
  const handler = new FakeHandler({ users: USERS });
  for (const fields of ["", WRONG, "Authorization: Basic YQ==\r\n"]) {
    handler.client(get("a", fields));
    const sent = handler.takeSent();
    assert(isChallenge(sent) && !sent.includes("Connection: close"), sent);
    assertEquals([handler.origins.length, handler.ending], [0, ""]);
  }
  handler.client(get("a", ANN));
  handler.answer(OK);
  assertEquals(handler.takeSent(), OK);
  assertEquals(handler.origin, {
    target: "a:80",
    user: "ann",
    received: "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  });
});

Deno.test("HttpStream.receive() sets how the session ends if the client leaves", () => {
  const client = new ProxyClient(new HttpInbound({ users: USERS }));
  client.bring(bytesOf(get("a", WRONG)));
  assertEquals(client.session.statusIfClientCloses, "auth_failed");
  client.bring(bytesOf(get("a", ANN)));
  assertEquals(client.session.statusIfClientCloses, undefined);
  assertEquals(client.session.user, "ann");
  client.bring(bytesOf());
  client.session.end("ok", 0);
  assertEquals(client.session.status, "ok");
  const guesser = new ProxyClient(new HttpInbound({ users: USERS }));
  guesser.bring(bytesOf(get("a", WRONG)));
  guesser.session.end("client_reset", 0);
  assertEquals(guesser.session.status, "auth_failed");
  const halfway = new ProxyClient(new HttpInbound());
  halfway.bring(bytesOf("GET http://a/"));
  assertEquals(halfway.session.statusIfClientCloses, "client_reset");
  const late = new ProxyClient(new HttpInbound());
  late.bring(bytesOf("GET http://a/"));
  late.session.end("timeout", 0);
  assertEquals(late.session.status, "timeout");
});

Deno.test("HttpStream.receive() lets nobody in by parts of credentials", () => {
  const texts = ["ann:secre", "ann:secrets", "ann:secretann:secret", "ann:"];
  texts.push("ann:Secret", "Ann:secret", "ann", ":", "", "ann:secret\0");
  for (const text of texts) {
    const handler = new FakeHandler({ users: USERS });
    handler.client(
      get("a", `Proxy-Authorization: Basic ${btoa(text)}\r\n`),
    );
    assert(isChallenge(handler.sent), text);
  }
});

Deno.test("HttpStream.receive() asks for them before CONNECT too", () => {
  const handler = new FakeHandler({ users: USERS });
  handler.client("CONNECT a:443 HTTP/1.1\r\n\r\n");
  assert(isChallenge(handler.takeSent()));
  handler.client(`CONNECT a:443 HTTP/1.1\r\n${BOB}\r\n`);
  assert(handler.takeSent().startsWith("HTTP/1.1 200 "));
  assertEquals(handler.origin?.user, "bob");
});

Deno.test("HttpCodec.decode() checks the user of each request", () => {
  const handler = new FakeHandler({ users: USERS });
  handler.client(get("a", ANN));
  handler.answer(OK);
  handler.client(get("a", ANN));
  handler.answer(OK);
  assertEquals(handler.origins.length, 1);
  handler.takeSent();
  handler.client(get("a"));
  assert(isChallenge(handler.takeSent()));
  assertEquals(handler.origin, undefined);
  handler.client(get("a", BOB));
  handler.answer(OK);
  handler.client(get("a", ANN));
  handler.answer(OK);
  assertEquals(
    handler.origins.map((origin) => origin.user),
    ["ann", "bob", "ann"],
  );
});

Deno.test("HttpStream.receive() skips the body of a request it asks for a user", () => {
  const bodies: [string, string][] = [
    ["Content-Length: 5\r\n", "hello"],
    ["Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nA: b\r\n\r\n"],
  ];
  for (const [fields, body] of bodies) {
    const text = `POST http://a/ HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`;
    for (let cut = 0; cut <= text.length; cut++) {
      const handler = new FakeHandler({ users: USERS });
      handler.client(text.slice(0, cut));
      handler.client(text.slice(cut) + get("a", ANN));
      assert(isChallenge(handler.sent));
      assertEquals(
        handler.origin?.received,
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      );
    }
  }
});

Deno.test("HttpStream.receive() closes where the next request could not be found", () => {
  const cases = [
    "GET http://a/ HTTP/1.0\r\n\r\n",
    get("a", "Connection: close\r\n"),
    "POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n" +
    "Expect: 100-continue\r\n\r\n",
  ];
  for (const text of cases) {
    const handler = new FakeHandler({ users: USERS });
    handler.client(text);
    assert(isChallenge(handler.sent));
    assert(handler.sent.includes("\r\nConnection: close\r\n"));
    assertEquals([handler.ending, handler.status], ["close", "auth_failed"]);
  }
  const handler = new FakeHandler({ users: USERS });
  handler.client(
    "POST http://a/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx",
  );
  assertEquals([handler.ending, handler.status], ["close", "error"]);
});

Deno.test("HttpStream.receive() ends a connection that guesses on", () => {
  const handler = new FakeHandler({ users: USERS });
  handler.client(get("a", WRONG).repeat(100));
  assertEquals(handler.sent.split("HTTP/1.1 407 ").length - 1, 8);
  assertEquals([handler.ending, handler.status], ["close", "auth_failed"]);
});

Deno.test("HttpStream.receive() refuses with the status that fits", () => {
  const long = `X: ${"a".repeat(65_536)}`;
  const cases: [string, number][] = [
    ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["\x16\x03\x01", 400],
    ["\x05\x01\0", 400],
    ["GET http://a/ HTTP/1.1\nHost: a\n\n", 400],
    ["GET http://[1.2.3.4]/ HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["GET http://[1::2::3]/ HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["CONNECT a HTTP/1.1\r\n\r\n", 400],
    [get("a", "Content-Length: 1\r\nContent-Length: 1\r\n"), 400],
    [`GET http://a/ HTTP/1.1\r\nHost: a\r\n${long}\r\n\r\n`, 431],
    [`GET http://a/${"a".repeat(70_000)}`, 431],
    ["GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 501],
    ["GET http://a/ HTTP/3.0\r\n\r\n", 505],
  ];
  for (const [text, status] of cases) {
    for (const before of ["", get("a")]) {
      const handler = new FakeHandler();
      handler.client(before);
      handler.answer(OK);
      handler.takeSent();
      handler.client(text);
      assert(handler.sent.startsWith(`HTTP/1.1 ${status} `), handler.sent);
      assert(handler.sent.includes("\r\nConnection: close\r\n"));
      assertEquals([handler.ending, handler.status], ["close", "error"]);
    }
  }
});

Deno.test("HttpStream.receive() refuses every request with mode udp_only", () => {
  const connect = `CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n${ANN}\r\n`;
  const head = get("a", ANN).replace("GET", "HEAD");
  for (const text of [get("a", ANN), head, connect]) {
    const handler = new FakeHandler({ mode: "udp_only", users: USERS });
    handler.client(get("a"));
    assert(isChallenge(handler.takeSent()));
    handler.client(text);
    assert(handler.sent.startsWith("HTTP/1.1 403 "), handler.sent);
    assertEquals(handler.sent.endsWith("udp_only\n"), text !== head);
    assertEquals([handler.ending, handler.status], ["close", "error"]);
    assertEquals(handler.origins, []);
  }
});

Deno.test("HttpStream.failed() tells why the target was not reached", () => {
  const cases: [Failure, number, string][] = [
    [{ status: "name_failed", code: "not-found" }, 502, "does not exist"],
    [{ status: "name_failed", code: "timeout" }, 504, "name servers"],
    [{ status: "dial_failed", code: "ECONNREFUSED" }, 502, "refused"],
    [{ status: "dial_failed", code: "ETIMEDOUT" }, 504, "in time"],
    [{ status: "dial_failed", code: "" }, 502, "cannot be reached"],
    [{ status: "dial_failed", code: "toString" }, 502, "cannot be reached"],
    [{ status: "blocked", code: "" }, 403, "forbidden"],
    [{ status: "server_failed", code: "ECONNREFUSED" }, 502, "server"],
    [{ status: "server_failed", code: "ETIMEDOUT" }, 504, "server"],
    [{ status: "dial_failed", code: "EACCES" }, 403, "not allowed"],
  ];
  for (const [failure, status, text] of cases) {
    for (const method of ["GET", "HEAD"]) {
      const handler = new FakeHandler({ failure });
      handler.client(`${method} http://a/ HTTP/1.1\r\nHost: a\r\n\r\n`);
      assert(handler.sent.startsWith(`HTTP/1.1 ${status} `), handler.sent);
      assertEquals(handler.sent.includes(text), method === "GET", handler.sent);
      assertEquals(handler.ending, "close");
    }
    const handler = new FakeHandler({ failure });
    handler.client("CONNECT a:443 HTTP/1.1\r\n\r\n");
    assert(handler.sent.startsWith(`HTTP/1.1 ${status} `), handler.sent);
  }
});

Deno.test("HttpStream logs one line for a refused client, without its bytes", () => {
  using logs = new LogCapture();
  const guesser = new FakeHandler({ users: USERS });
  guesser.client(get("a"));
  assertEquals(logs.lines.length, 0);
  guesser.client(get("a", WRONG).repeat(10));
  assertEquals(logs.lines.length, 1);
  new FakeHandler().client("GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n");
  assertEquals(logs.lines.length, 2);
  const both = new FakeHandler({ users: USERS });
  both.client(get("a", WRONG) + "no request\r\n\r\n");
  assertEquals([both.status, logs.lines.length], ["error", 3]);
  const served = new FakeHandler({ users: USERS });
  served.client(get("a", WRONG) + get("a", ANN));
  served.answer("no answer\r\n\r\n");
  assertEquals([served.status, logs.lines.length], ["target_reset", 5]);
  const text = logs.texts.join("\n");
  assert(text.includes("127.0.0.1:40000"), text);
  assert(!text.includes("hidden") && !text.includes("wrong\n"), text);
  assert(!text.includes(btoa("ann:wrong")), text);
});
