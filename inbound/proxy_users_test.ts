/**
 * Tests of names and passwords of a proxy.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { ProxyUsers } from "./mod.ts";
import { bytesOf } from "../tests/support/bytes.ts";

Deno.test("ProxyUsers.find() gives the user when both are right, and nobody else", () => {
  const users = new ProxyUsers([
    { name: "a", password: "aa" },
    { name: "aa", password: "a" },
    { name: "same", password: "one" },
    { name: "same", password: "two" },
    { name: "zero", password: "\0" },
    { name: "none", password: "" },
  ]);
  const rows: readonly (readonly [string, string, string | undefined])[] = [
    ["a", "aa", "a"],
    ["aa", "a", "aa"],
    ["a", "a", undefined],
    ["aa", "aa", undefined],
    ["same", "one", "same"],
    ["same", "two", "same"],
    ["same", "onetwo", undefined],
    ["zero", "\0", "zero"],
    ["zero", "", undefined],
    ["zero", "\0\0", undefined],
    ["none", "", "none"],
    ["none", "\0", undefined],
    ["", "", undefined],
    ["A", "aa", undefined],
  ];
  for (const [name, password, expected] of rows) {
    assertEquals(users.find(bytesOf(name), bytesOf(password)), expected);
  }
});

Deno.test("ProxyUsers.find() refuses a name and password when one bit of them differs", () => {
  const users = new ProxyUsers([{ name: "user", password: "secret" }]);
  const name = bytesOf("user");
  const password = bytesOf("secret");
  for (const bytes of [name, password]) {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      assertEquals(users.find(name, password), undefined);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  }
  assertEquals(users.find(name, password), "user");
});

Deno.test("ProxyUsers.find() lets nobody in when the list is empty", () => {
  assertEquals(new ProxyUsers([]).find(bytesOf(), bytesOf()), undefined);
});

Deno.test("ProxyUsers.find() finds nobody when a name or a password is longer than any", () => {
  const users = new ProxyUsers([{ name: "a", password: "b" }]);
  const long = new Uint8Array(256).fill(0x62);
  assertEquals(users.find(Uint8Array.of(0x61), long), undefined);
  assertEquals(users.find(long, Uint8Array.of(0x62)), undefined);
});
