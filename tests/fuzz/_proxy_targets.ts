/**
 * What applications send to the proxy and what proxies in front answer: SOCKS
 * 4, 4a and 5, HTTP.
 *
 * @module
 */

import {
  HttpInbound,
  MixedInbound,
  SocksInbound,
  SocksPackets,
} from "../../inbound/mod.ts";
import { FakeHandler } from "../../inbound/_http_fixture.ts";
import { CLIENT, ProxyClient } from "../../inbound/_proxy_client_fixture.ts";
import { HandshakeRun } from "../../outbound/proxies/_handshake_fixture.ts";
import { HttpProxyHandshake } from "../../outbound/proxies/http_proxy.ts";
import { Socks5ProxyHandshake } from "../../outbound/proxies/socks5_proxy.ts";
import { CARRY_SIZE } from "../../relay/constants.ts";
import {
  type Inbound,
  Packet,
  PACKET_ROOM,
  sealedBytes,
  Target,
} from "../../relay/mod.ts";
import { bytesOf, concat, stringOf } from "../support/mod.ts";
import type { Choices } from "./_choices.ts";
import { chooseHeader } from "./_editions.ts";
import { HTTP_WORDS, makeTalk } from "./_http_talks.ts";
import { type FuzzTarget, promise, promiseEqual } from "./_target.ts";
import { mutateText } from "./_text.ts";

const CHANGES = [0, 1, 1, 2, 4];
/** Bytes of the longest request of SOCKS: SOCKS4a with user and name. */
const LONGEST_SOCKS = 1024;
const USERS = [{ name: "user", password: "what is said" }];

/** Targets of proxies. */
export const PROXY_TARGETS: readonly FuzzTarget[] = [
  { name: "socks", open: () => ({ run: socks }) },
  { name: "socks udp", open: () => ({ run: socksPacket }) },
  { name: "http", open: () => ({ run: http }) },
  { name: "proxy answers", open: () => ({ run: proxyAnswer }) },
];

function socks(choices: Choices): void {
  const isOld = choices.once(3);
  const hasUsers = choices.once(3);
  const users = hasUsers ? USERS : [];
  const inbound: Inbound = new MixedInbound({
    socks: new SocksInbound({ users }),
    http: new HttpInbound({ users }),
  });
  const login = hasUsers ? bytesOf(1, 4, "user", 12, "what is said") : [];
  const command = choices.pick([1, 3, 2, 0, 255]);
  const talk = isOld
    ? bytesOf(
      4,
      command,
      choices.bytes(2),
      choices.pick([bytesOf(0, 0, 0, 9), choices.bytes(4)]),
      choices.text(choices.below(40)),
      0,
      "name.example",
      0,
    )
    : concat(
      Uint8Array.of(5, 3, 0, 1, 2),
      Uint8Array.from(login),
      Uint8Array.of(5, command, 0),
      chooseHeader(choices),
    );
  const sent = choices.mutated(talk, choices.pick(CHANGES));
  const client = new ProxyClient(inbound);
  for (const piece of choices.pieces(sent)) client.bring(piece);
  const { answer, rest } = client;
  if (answer.kind === "more") {
    promise(rest.length <= LONGEST_SOCKS, "what is carried is limited");
  }
  if (answer.kind === "refuse") {
    promise(
      answer.ending === "close" && answer.status !== "ok",
      "who is refused is told, and left",
    );
  }
  if (answer.kind === "request") {
    client.stream.connected();
    client.stream.failed({ status: "dial_failed", code: "ECONNREFUSED" });
    if (hasUsers) promise(client.session.user === "user", "the user is known");
  }
  client.stream[Symbol.dispose]();
}

const PACKETS = new SocksPackets();
const OUTPUT = new Uint8Array(70_000);

function socksPacket(choices: Choices): void {
  const payload = choices.bytes(choices.length(65_000));
  const datagram = choices.mutated(
    concat(new Uint8Array(3), chooseHeader(choices), payload),
    choices.pick(CHANGES),
  );
  const packet = new Packet();
  packet.bytes = concat(new Uint8Array(PACKET_ROOM), datagram);
  packet.start = PACKET_ROOM;
  packet.end = packet.bytes.length;
  const asked = PACKETS.open(packet, CLIENT);
  if (asked === undefined) return;
  promise(
    packet.start >= packet.head && packet.start <= packet.end &&
      packet.target !== undefined,
    "a datagram that is taken has a target and a payload",
  );
  const inner = packet.bytes.slice(packet.start, packet.end);
  const length = PACKETS.seal(packet, undefined, OUTPUT);
  const sealed = sealedBytes(packet, OUTPUT, length);
  promise(sealed !== undefined, "an answer can be sealed");
  promiseEqual(
    sealed.subarray(sealed.length - inner.length),
    inner,
    "the datagram",
  );
}

function http(choices: Choices): void {
  const failure = choices.once(8)
    ? { status: "dial_failed", code: "ECONNREFUSED" } as const
    : undefined;
  const handler = new FakeHandler({
    ...(failure && { failure }),
    isTight: true,
  });
  const hosts = ["a.example", "b.example:8080", "[2001:db8::1]"];
  const changes = choices.pick(CHANGES);
  const count = 1 + choices.below(3);
  for (let i = 0; i < count && handler.ending === ""; i++) {
    const talk = makeTalk(choices, choices.pick(hosts));
    const isChanged = changes > 0 && choices.below(2) === 0;
    const way = choices.below(2);
    const mutated = (text: string, when: number): string =>
      isChanged && way === when
        ? mutateText(text, choices, HTTP_WORDS, changes)
        : text;
    const before = handler.origins.length;
    const known = handler.origins.at(-1)?.received.length ?? 0;
    for (const piece of choices.pieces(bytesOf(mutated(talk.request, 0)))) {
      handler.client(stringOf(piece));
    }
    const { origins } = handler;
    if (changes === 0 && failure === undefined) {
      const got = origins.length === before
        ? origins.at(-1)!.received.slice(known)
        : origins.at(-1)!.received;
      promise(
        got.includes(` ${talk.path} HTTP/1.1\r\n`) && got.endsWith(talk.body),
        "an origin gets the request that was sent",
      );
    }
    // Who has an origin is not read on while its answer is waited for.
    promise(
      handler.origin !== undefined || handler.ending !== "" ||
        handler.waiting.length <= CARRY_SIZE,
      "what waits is limited",
    );
    handler.takeSent();
    for (const piece of choices.pieces(bytesOf(mutated(talk.answer, 1)))) {
      handler.answer(stringOf(piece));
    }
    if (changes === 0 && failure === undefined) {
      const answer = talk.answer.slice(talk.answer.indexOf("\r\n\r\n"));
      promise(
        handler.takeSent().endsWith(answer),
        "the client gets the answer that was given",
      );
    }
    if (handler.origin !== undefined && choices.once(6)) handler.answerEnd();
  }
  handler.stream[Symbol.dispose]();
}

function proxyAnswer(choices: Choices): void {
  const target = new Target(undefined, "name.example", 443);
  const isHttp = choices.below(2) === 0;
  const run = new HandshakeRun(
    isHttp
      ? new HttpProxyHandshake(target)
      : new Socks5ProxyHandshake({ target, user: "user", password: "it" }),
  );
  const honest = isHttp
    ? bytesOf(
      choices.pick(["", "HTTP/1.1 100 Continue\r\n\r\n"]),
      `HTTP/1.${choices.below(2)} ${choices.pick([200, 407, 503])} Oh\r\n`,
      "Content-Length: 3\r\nX: y\r\n\r\n",
    )
    : bytesOf(5, choices.pick([0, 2]), 1, 0, 5, choices.below(9), 0)
      .slice();
  const whole = isHttp ? honest : concat(honest, chooseHeader(choices));
  const changed = isHttp
    ? bytesOf(
      mutateText(stringOf(whole), choices, HTTP_WORDS, choices.pick(CHANGES))
        .replaceAll(/[^\0-\xff]/g, "?"),
    )
    : choices.mutated(whole, choices.pick(CHANGES));
  for (const piece of choices.pieces(changed)) run.bring(piece);
  if (run.answer.kind === "more") {
    promise(run.rest.length <= CARRY_SIZE, "what is carried is limited");
  }
}
