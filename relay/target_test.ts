/**
 * Tests of targets given as text.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Target } from "./target.ts";

Deno.test("Target.of() reads every spelling of an address that clients use", () => {
  const rows: readonly (readonly [string, boolean, string])[] = [
    ["192.0.2.1", true, "192.0.2.1:53"],
    ["::ffff:192.0.2.1", true, "192.0.2.1:53"],
    ["2001:db8::1", true, "[2001:db8::1]:53"],
    ["[2001:db8::1]", true, "[2001:db8::1]:53"],
    ["[::ffff:127.0.0.1]", true, "127.0.0.1:53"],
    ["a.example", false, "a.example:53"],
    ["[a.example]", false, "[a.example]:53"],
    ["[192.0.2.1]", false, "[192.0.2.1]:53"],
  ];
  for (const [host, isAddress, text] of rows) {
    const target = Target.of(host, 53);
    assertEquals(target.address !== undefined, isAddress, host);
    assertEquals(`${target}`, text);
  }
});

Deno.test("Target.ofPlace() takes the zone of a link-local address, Target.of() of a client does not", () => {
  assertEquals(Target.ofPlace("fe80::1%3", 53).address?.scope, 3);
  assertEquals(Target.ofPlace("a.example", 53).domain, "a.example");
  assertEquals(Target.of("fe80::1%3", 53).address, undefined);
});
