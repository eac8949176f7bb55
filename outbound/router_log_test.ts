/**
 * Tests of what the router logs when it refuses a target.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { SocketAddress } from "../loop/mod.ts";
import type { Session } from "../relay/mod.ts";
import { RouterFixture } from "./_router_fixture.ts";
import { LogCapture } from "../tests/support/logs.ts";

const BLOCK_HOME = "[outbound_block_list]\n10.0.0.0/8\n||bad.example\n";

Deno.test("AclRouter logs one line for each refusal", () => {
  const fixture = new RouterFixture({
    role: "server",
    acl: BLOCK_HOME,
    forbidden: "127.0.0.0/8",
  });
  using logs = new LogCapture();
  const address = SocketAddress.parse("127.0.0.1", 80);
  fixture.router.forbids(address, fixture.session("tcp"));
  fixture.router.forbids(address, fixture.session("udp"));
  fixture.router.forbids(
    SocketAddress.parse("10.0.0.1", 80),
    fixture.session(),
  );
  fixture.ask("www.bad.example");
  fixture.ask("10.1.1.1");
  fixture.ask("example.com");
  assertEquals(logs.lines, [
    "error: IP 127.0.0.1 is in forbidden list, reject, when handling connection from 192.0.2.1:5000",
    "error: IP 127.0.0.1 is in forbidden list, drop, UDP from 192.0.2.1:5000",
    "info: 10.0.0.1:80 is blocked by rule 10.0.0.0/8 for 192.0.2.1:5000",
    "info: www.bad.example:443 is blocked by rule ||bad.example for 192.0.2.1:5000",
    "info: 10.1.1.1:443 is blocked by rule 10.0.0.0/8 for 192.0.2.1:5000",
  ]);
});

Deno.test("AclRouter logs one line for each rule that refuses datagrams of an association", () => {
  const rules = Array.from({ length: 30 }, (_, i) => `|${i}.example`);
  const fixture = new RouterFixture({
    role: "server",
    acl: `[outbound_block_list]\n10.0.0.0/8\n${rules.join("\n")}`,
    forbidden: "127.0.0.0/8",
  });
  using logs = new LogCapture();
  const levels = (): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { level } of logs.records) {
      counts[level] = (counts[level] ?? 0) + 1;
    }
    logs.clear();
    return counts;
  };
  const send = (session: Session): void => {
    fixture.ask("10.0.0.1", session);
    for (const ip of ["10.0.0.2", "127.0.0.1", "127.0.0.2"]) {
      fixture.router.forbids(SocketAddress.parse(ip, 53), session);
    }
  };
  const session = fixture.session("udp");
  for (let i = 0; i < 10; i++) send(session);
  assertEquals(levels(), { info: 1, error: 1, debug: 38 });
  // Another association is told of anew; of connections every refusal is.
  send(fixture.session("udp"));
  assertEquals(levels(), { info: 1, error: 1, debug: 2 });
  const connection = fixture.session("tcp");
  send(connection);
  assertEquals(levels(), { info: 2, error: 2 });
  // A scan is named for 16 rules: two of them have been met above.
  for (const rule of rules) fixture.ask(rule.slice(1), session);
  assertEquals(levels(), { info: 14, debug: 16 });
});
