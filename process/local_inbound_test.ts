/**
 * What local listeners serve with each mode.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { LocalConfig, LocalProtocol } from "../config/mod.ts";
import { SocketAddress } from "../loop/mod.ts";
import { type InboundAnswer, Sessions } from "../relay/mod.ts";
import { type LocalInbound, localInbound } from "./local_inbound.ts";

const HTTP = "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n";
const CONNECT = "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n";
const SOCKS4 = "\x04\x01\0\x50\xc0\0\x02\x07\0";

function localOf(
  protocol: LocalProtocol,
  mode: LocalConfig["mode"],
): LocalInbound {
  return localInbound({
    protocol,
    mode,
    address: "127.0.0.1",
    port: 0,
    users: [],
    forward: undefined,
    acl: undefined,
    outbound: undefined,
  });
}

/** What a client that sends `text` at once is answered. */
function answerTo(
  text: string,
  protocol: LocalProtocol,
  mode: LocalConfig["mode"],
): InboundAnswer {
  const session = new Sessions().open({
    listener: { protocol, port: 1080 },
    network: "tcp",
    client: SocketAddress.parse("198.51.100.1", 4000),
  }, 0);
  using stream = localOf(protocol, mode).inbound.accept(session);
  const bytes = Uint8Array.from(text, (each) => each.charCodeAt(0));
  return stream.receive(bytes, new Uint8Array(1024));
}

Deno.test("localInbound() serves connections unless its mode is udp_only", () => {
  const rows: [string, LocalProtocol][] = [
    [HTTP, "http"],
    [CONNECT, "http"],
    [HTTP, "mixed"],
    [CONNECT, "mixed"],
    [SOCKS4, "mixed"],
    [HTTP, "socks"],
    [SOCKS4, "socks"],
  ];
  for (const [sent, protocol] of rows) {
    for (const mode of ["tcp_only", "tcp_and_udp"] as const) {
      assertEquals(answerTo(sent, protocol, mode).kind, "request");
    }
    const answer = answerTo(sent, protocol, "udp_only");
    if (answer.kind !== "refuse") throw new Error(answer.kind);
    assertEquals([answer.status, answer.ending], ["error", "close"]);
    const reply = new TextDecoder("latin1").decode(answer.reply);
    assertEquals(
      reply.split("\r\n")[0],
      sent === SOCKS4 ? "\0[\0\0\0\0\0\0" : "HTTP/1.1 403 Forbidden",
    );
  }
});
