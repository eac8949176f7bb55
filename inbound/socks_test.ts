/**
 * The SOCKS proxy without sockets: greetings and requests in any pieces, who
 * is refused and how, users.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { SocketAddress } from "../loop/mod.ts";
import type { Failure } from "../relay/mod.ts";
import { CLIENT, ProxyClient } from "./_proxy_client_fixture.ts";
import { SocksInbound, type SocksInboundOptions } from "./mod.ts";
import { bytesOf } from "../tests/support/bytes.ts";
import { LogCapture } from "../tests/support/logs.ts";

const GREETING = bytesOf(5, 1, 0);
const IPV4 = bytesOf(1, 192, 0, 2, 7, 0, 80);
const CONNECT = bytesOf(5, 1, 0, IPV4);
const ASSOCIATE = bytesOf(5, 3, 0, 1, 0, 0, 0, 0, 0, 0);
const SOCKS4 = bytesOf(4, 1, 0, 80, 192, 0, 2, 7, "id", 0);
const SOCKS4A = bytesOf(4, 1, 0, 80, 0, 0, 0, 1, 0, "example.com", 0);
const USERS = [
  { name: "alice", password: "wonder" },
  { name: "bob", password: "pässword" },
  { name: "empty", password: "" },
];

/** SOCKS5 and SOCKS4: the target is reached. */
const SUCCESS = bytesOf(5, 0, 0, 1, 0, 0, 0, 0, 0, 0);
const GRANTED = bytesOf(0, 0x5a, 0, 0, 0, 0, 0, 0);

/** A whole conversation that leads to a request. */
interface Talk {
  readonly name: string;
  readonly sent: Uint8Array;
  readonly replies: Uint8Array;
  readonly target: string;
  readonly success: Uint8Array;
  readonly options?: SocksInboundOptions;
}

const HEADERS: readonly (readonly [string, Uint8Array, string])[] = [
  ["an IPv4 address", IPV4, "192.0.2.7:80"],
  [
    "an IPv6 address",
    bytesOf(4, 0x20, 1, 0xd, 0xb8, new Uint8Array(11), 1, 1, 187),
    "[2001:db8::1]:443",
  ],
  ["a name", bytesOf(3, 11, "example.com", 0, 80), "example.com:80"],
  ["an address as name", bytesOf(3, 9, "127.0.0.1", 0, 80), "127.0.0.1:80"],
];

const TALKS: readonly Talk[] = [
  ...HEADERS.map(([name, header, target]) => ({
    name: `SOCKS5 with ${name}`,
    sent: bytesOf(GREETING, 5, 1, 0, header),
    replies: bytesOf(5, 0),
    target,
    success: SUCCESS,
  })),
  {
    name: "SOCKS5 that offers a password too",
    sent: bytesOf(5, 2, 2, 0, CONNECT),
    replies: bytesOf(5, 0),
    target: "192.0.2.7:80",
    success: SUCCESS,
  },
  {
    name: "SOCKS5 with a password",
    sent: bytesOf(5, 2, 0, 2, 1, 5, "alice", 6, "wonder", CONNECT),
    replies: bytesOf(5, 2, 1, 0),
    target: "192.0.2.7:80",
    success: SUCCESS,
    options: { users: USERS },
  },
  {
    name: "SOCKS4",
    sent: SOCKS4,
    replies: bytesOf(),
    target: "192.0.2.7:80",
    success: GRANTED,
  },
  {
    name: "SOCKS5 with an empty list of users",
    sent: bytesOf(GREETING, CONNECT),
    replies: bytesOf(5, 0),
    target: "192.0.2.7:80",
    success: SUCCESS,
    options: { users: [] },
  },
  {
    name: "SOCKS4a",
    sent: SOCKS4A,
    replies: bytesOf(),
    target: "example.com:80",
    success: GRANTED,
  },
];

for (const { name, sent, replies, target, success, options } of TALKS) {
  Deno.test(`SocksInbound serves ${name}, cut anywhere`, () => {
    using logs = new LogCapture();
    const talk = bytesOf(sent, "payload");
    const cuts = [[talk], Array.from(talk, (byte) => bytesOf(byte))];
    for (let cut = 1; cut < talk.length; cut++) {
      cuts.push([talk.subarray(0, cut), talk.subarray(cut)]);
    }
    for (const pieces of cuts) {
      const client = new ProxyClient(new SocksInbound(options));
      client.bring(...pieces);
      assertEquals(client.asked, target);
      assertEquals(client.sent, replies);
      assertEquals(client.rest, bytesOf("payload"));
      assertEquals(client.stream.connected(), success);
      assertEquals(client.stream.codec, undefined);
    }
    assertEquals(logs.lines, []);
  });
}

/** A SOCKS5 reply of failure. */
function refusal(code: number): Uint8Array {
  return bytesOf(5, code, 0, 1, 0, 0, 0, 0, 0, 0);
}

/** Names and passwords that no user has. */
const WRONG: readonly (readonly [string, Uint8Array])[] = [
  ["a wrong password", bytesOf(1, 5, "alice", 6, "wonde?")],
  ["a longer password", bytesOf(1, 5, "alice", 12, "wonderwonder")],
  ["a shorter password", bytesOf(1, 5, "alice", 5, "wonde")],
  ["an empty password", bytesOf(1, 5, "alice", 0)],
  ["another user's password", bytesOf(1, 3, "bob", 6, "wonder")],
  ["an unknown user", bytesOf(1, 5, "carol", 6, "wonder")],
  ["an empty user", bytesOf(1, 0, 0)],
  ["a password in Latin-1", bytesOf(1, 3, "bob", 8, "p\xe4ssword")],
];

/** Who is refused: what is sent, answered, logged. */
const REFUSED: readonly {
  readonly name: string;
  readonly sent: Uint8Array;
  readonly answer: Uint8Array;
  readonly log: string;
  readonly status?: string;
  readonly options?: SocksInboundOptions;
}[] = [
  {
    name: "HTTP",
    sent: bytesOf("GET / HTTP/1.1\r\n"),
    answer: bytesOf(),
    log:
      `warning: cannot serve SOCKS5 greeting from ${CLIENT}: version 71, not 5`,
  },
  {
    name: "TLS",
    sent: bytesOf(22, 3, 1, 2, 0),
    answer: bytesOf(),
    log:
      `warning: cannot serve SOCKS5 greeting from ${CLIENT}: version 22, not 5`,
  },
  {
    name: "no method",
    sent: bytesOf(5, 0),
    answer: bytesOf(5, 255),
    log:
      `warning: cannot serve SOCKS5 greeting from ${CLIENT}: no method without authentication is offered`,
  },
  {
    name: "no method without a password",
    sent: bytesOf(5, 2, 1, 2),
    answer: bytesOf(5, 255),
    log:
      `warning: cannot serve SOCKS5 greeting from ${CLIENT}: no method without authentication is offered`,
  },
  {
    name: "BIND",
    sent: bytesOf(GREETING, 5, 2, 0, IPV4),
    answer: bytesOf(5, 0, refusal(7)),
    log: `warning: cannot serve SOCKS5 request from ${CLIENT}: command 2`,
  },
  {
    name: "an unknown command",
    sent: bytesOf(GREETING, 5, 9, 0, IPV4),
    answer: bytesOf(5, 0, refusal(7)),
    log: `warning: cannot serve SOCKS5 request from ${CLIENT}: command 9`,
  },
  {
    name: "an unknown address type",
    sent: bytesOf(GREETING, 5, 1, 0, 2, 1, 2, 3, 4, 0, 80),
    answer: bytesOf(5, 0, refusal(8)),
    log: `warning: cannot serve SOCKS5 request from ${CLIENT}: address type 2`,
  },
  {
    name: "an empty name",
    sent: bytesOf(GREETING, 5, 1, 0, 3, 0, 0, 80),
    answer: bytesOf(5, 0, refusal(1)),
    log: `warning: cannot serve SOCKS5 request from ${CLIENT}: empty host name`,
  },
  {
    name: "a request of another version",
    sent: bytesOf(GREETING, 4, 1, 0, IPV4),
    answer: bytesOf(5, 0, refusal(1)),
    log:
      `warning: cannot serve SOCKS5 request from ${CLIENT}: version 4, not 5`,
  },
  {
    name: "CONNECT with mode udp_only",
    sent: bytesOf(GREETING, CONNECT),
    answer: bytesOf(5, 0, refusal(2)),
    log:
      `warning: cannot serve SOCKS5 request from ${CLIENT}: CONNECT is off: the mode is udp_only`,
    options: { mode: "udp_only" },
  },
  {
    name: "UDP ASSOCIATE with mode tcp_only",
    sent: bytesOf(GREETING, ASSOCIATE),
    answer: bytesOf(5, 0, refusal(7)),
    log:
      `warning: cannot serve SOCKS5 request from ${CLIENT}: UDP ASSOCIATE is off: the mode is tcp_only`,
    options: { mode: "tcp_only" },
  },
  {
    name: "BIND of SOCKS4",
    sent: bytesOf(4, 2, 0, 80, 192, 0, 2, 7, 0),
    answer: bytesOf(0, 0x5b, 0, 0, 0, 0, 0, 0),
    log: `warning: cannot serve SOCKS4 request from ${CLIENT}: command 2`,
  },
  {
    name: "a SOCKS4a name with a line end",
    sent: bytesOf(4, 1, 0, 80, 0, 0, 0, 1, 0, "a\r\n", 0),
    answer: bytesOf(0, 0x5b, 0, 0, 0, 0, 0, 0),
    log:
      `warning: cannot serve SOCKS4 request from ${CLIENT}: host name of unfit characters`,
  },
  {
    name: "SOCKS4 with mode udp_only",
    sent: SOCKS4,
    answer: bytesOf(0, 0x5b, 0, 0, 0, 0, 0, 0),
    log:
      `warning: cannot serve SOCKS4 request from ${CLIENT}: CONNECT is off: the mode is udp_only`,
    options: { mode: "udp_only" },
  },
  ...WRONG.map(([name, sent]) => ({
    name,
    sent: bytesOf(5, 1, 2, sent),
    answer: bytesOf(5, 2, 1, 1),
    log:
      "warning: failed to handshake with 198.51.100.1: wrong user or password",
    status: "auth_failed",
    options: { users: USERS },
  })),
  {
    name: "a client without a password where there are users",
    sent: bytesOf(GREETING, CONNECT),
    answer: bytesOf(5, 255),
    log: "warning: failed to handshake with 198.51.100.1: no password offered",
    status: "auth_failed",
    options: { users: USERS },
  },
  {
    name: "a request in place of a password",
    sent: bytesOf(5, 2, 0, 2, CONNECT),
    answer: bytesOf(5, 2, 1, 1),
    log:
      "warning: failed to handshake with 198.51.100.1: version 5 of the password exchange, not 1",
    status: "auth_failed",
    options: { users: USERS },
  },
  {
    name: "SOCKS4 where there are users",
    sent: SOCKS4,
    answer: bytesOf(0, 0x5b, 0, 0, 0, 0, 0, 0),
    log:
      "warning: failed to handshake with 198.51.100.1: SOCKS4 has no password",
    status: "auth_failed",
    options: { users: USERS },
  },
];

for (const { name, sent, answer, log, status, options } of REFUSED) {
  Deno.test(`SocksInbound refuses ${name}`, () => {
    using logs = new LogCapture();
    const client = new ProxyClient(new SocksInbound(options)).bring(sent);
    assertEquals(client.sent, answer);
    assertEquals(client.refused, `${status ?? "error"} close`);
    assertEquals(client.session.user, "");
    assertEquals(logs.lines, [log]);
  });
}

Deno.test("SocksInbound sets the user whose name and password are right", () => {
  const inbound = new SocksInbound({ users: USERS });
  const rows = [
    { name: "alice", password: "wonder" },
    { name: "bob", password: "p\xc3\xa4ssword" },
    { name: "empty", password: "" },
  ];
  for (const { name, password } of rows) {
    const client = new ProxyClient(inbound).bring(
      bytesOf(5, 1, 2),
      bytesOf(1, name.length, name, password.length, password),
    );
    assertEquals(client.session.user, name);
    assertEquals(client.sent, bytesOf(5, 2, 1, 0));
    assertEquals(client.bring(ASSOCIATE).answer.kind, "associate");
  }
});

Deno.test("SocksInbound tells the port that datagrams will come from", () => {
  const rows = [
    ["nothing", bytesOf(1, 0, 0, 0, 0, 0, 0), 0],
    ["a port alone", bytesOf(1, 0, 0, 0, 0, 4, 56), 1080],
    ["the IPv6 one of no address", bytesOf(4, new Uint8Array(16), 4, 56), 1080],
    ["its address", bytesOf(1, 198, 51, 100, 1, 4, 56), 1080],
    ["an address behind a NAT", bytesOf(1, 10, 0, 0, 1, 4, 56), 0],
    ["a name", bytesOf(3, 1, "a", 4, 56), 0],
  ] as const;
  for (const [name, header, port] of rows) {
    const client = new ProxyClient(new SocksInbound());
    client.bring(bytesOf(GREETING, 5, 3, 0, header));
    const { answer } = client;
    const told = answer.kind === "associate" ? answer.port : undefined;
    assertEquals(told, port, name);
  }
});

Deno.test("SocksInbound answers UDP ASSOCIATE with the address of the UDP side", () => {
  const client = new ProxyClient(new SocksInbound());
  client.bring(bytesOf(GREETING, ASSOCIATE));
  assertEquals(client.answer, {
    kind: "associate",
    consumed: 10,
    port: 0,
  });
  const { stream } = client;
  const address = SocketAddress.parse("127.0.0.1", 1080);
  assertEquals(
    stream.associated?.(address),
    bytesOf(5, 0, 0, 1, 127, 0, 0, 1, 4, 56),
  );
  assertEquals(
    stream.associated?.(SocketAddress.parse("::1", 1)),
    bytesOf(5, 0, 0, 4, new Uint8Array(15), 1, 0, 1),
  );
});

/** Why a target was not reached, and the code of the reply. */
const FAILURES: readonly (readonly [Failure, number])[] = [
  [{ status: "dial_failed", code: "ECONNREFUSED" }, 5],
  [{ status: "dial_failed", code: "ENETUNREACH" }, 3],
  [{ status: "dial_failed", code: "EHOSTUNREACH" }, 4],
  [{ status: "server_failed", code: "EHOSTDOWN" }, 4],
  [{ status: "server_failed", code: "ETIMEDOUT" }, 4],
  [{ status: "dial_failed", code: "EACCES" }, 2],
  [{ status: "server_failed", code: "ECONNRESET" }, 1],
  [{ status: "server_failed", code: "proxy-auth" }, 1],
  [{ status: "server_failed", code: "" }, 1],
  [{ status: "name_failed", code: "not-found" }, 4],
  [{ status: "name_failed", code: "no-address" }, 4],
  [{ status: "name_failed", code: "timeout" }, 4],
  [{ status: "name_failed", code: "failed" }, 4],
  [{ status: "blocked", code: "" }, 2],
];

for (const [failure, code] of FAILURES) {
  Deno.test(`SocksInbound replies ${code} when the target ends with ${failure.status} ${failure.code}`, () => {
    const inbound = new SocksInbound();
    const client = new ProxyClient(inbound).bring(GREETING, CONNECT);
    assertEquals(client.stream.failed(failure), {
      reply: refusal(code),
      ending: "close",
    });
    const old = new ProxyClient(inbound).bring(SOCKS4);
    assertEquals(old.stream.failed(failure), {
      reply: bytesOf(0, 0x5b, 0, 0, 0, 0, 0, 0),
      ending: "close",
    });
  });
}

Deno.test("SocksInbound never throws, and decides within 1,100 bytes, whatever comes", () => {
  let state = 5;
  const random = (limit: number): number => {
    state = state * 48_271 % 0x7fffffff;
    return state % limit;
  };
  const inbounds = [new SocksInbound(), new SocksInbound({ users: USERS })];
  const starts = TALKS.map(({ sent }) => sent);
  for (let round = 0; round < 500; round++) {
    const tail = Uint8Array.from({ length: 1_100 }, () => random(256));
    const bytes = bytesOf(starts[random(starts.length)]!, tail);
    for (let flips = random(3); flips >= 0; flips--) {
      bytes[random(20)] = random(256);
    }
    const client = new ProxyClient(inbounds[round % 2]!);
    const cut = random(bytes.length);
    client.bring(bytes.subarray(0, cut), bytes.subarray(cut));
    assert(client.answer.kind !== "more", `${bytes}`);
  }
});
