/**
 * Tests of addresses with a zone.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { readAddress } from "./zone.ts";

Deno.test("readAddress() reads literals, with the zone that IPv6 may have", () => {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["192.0.2.1", "192.0.2.1:1"],
    ["2001:db8::1", "[2001:db8::1]:1"],
    ["fe80::1%2", "[fe80::1%2]:1"],
    ["fe80::1%4294967295", "[fe80::1%4294967295]:1"],
    ["fe80::1%4294967296", undefined],
    ["fe80::1%", undefined],
    ["fe80::1%no-such-one", undefined],
    ["fe80::1%..", undefined],
    ["fe80::1%a/b", undefined],
    ["192.0.2.1%2", undefined],
    ["a.example%2", undefined],
    ["[::1]", undefined],
  ];
  for (const [text, expected] of rows) {
    const address = readAddress(text, 1);
    assertEquals(address && `${address}`, expected, text);
  }
});

Deno.test("readAddress() finds an interface by its name", () => {
  if (Deno.build.os !== "linux") return;
  const index = Number(Deno.readTextFileSync("/sys/class/net/lo/ifindex"));
  assertEquals(readAddress("fe80::1%lo", 1)?.scope, index);
});
