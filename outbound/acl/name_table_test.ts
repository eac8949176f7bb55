/**
 * Tests of the table of names.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { NAME_BELOW, NAME_ITSELF, NameTable } from "./_name_table.ts";

Deno.test("NameTable.find() tells a name from those below it", () => {
  const table = new NameTable();
  table.add("itself.example", NAME_ITSELF);
  table.add("below.example", NAME_BELOW);
  table.add("both.example", NAME_ITSELF | NAME_BELOW);
  table.add("joined.example", NAME_ITSELF);
  table.add("joined.example", NAME_BELOW);
  table.trim();
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["itself.example", "|itself.example"],
    ["a.itself.example", undefined],
    ["below.example", undefined],
    ["a.below.example", "\\.below\\.example$"],
    ["a.b.below.example", "\\.below\\.example$"],
    ["both.example", "||both.example"],
    ["a.both.example", "||both.example"],
    ["aboth.example", undefined],
    ["both.example.com", undefined],
    ["joined.example", "||joined.example"],
    ["a.joined.example", "||joined.example"],
    ["example", undefined],
    ["", undefined],
    [".both.example", "||both.example"],
  ];
  for (const [host, rule] of cases) assertEquals(table.find(host), rule, host);
  assertEquals(table.size, 4);
});

Deno.test("NameTable.find() gives the rule of the highest domain", () => {
  const table = new NameTable();
  table.add("a.b.com", NAME_ITSELF | NAME_BELOW);
  table.add("b.com", NAME_ITSELF | NAME_BELOW);
  assertEquals(table.find("x.a.b.com"), "||b.com");
});

Deno.test("NameTable.find() agrees with a Set when there are many names", () => {
  const table = new NameTable();
  const names = new Set<string>();
  for (let i = 0; i < 5000; i++) {
    const name = `${(i * 7919 % 65536).toString(36)}.d${i % 97}.example`;
    names.add(name);
    table.add(name, NAME_ITSELF);
  }
  assertEquals(table.size, names.size);
  for (let i = 0; i < 65536; i++) {
    const name = `${i.toString(36)}.d${i % 97}.example`;
    assertEquals(table.find(name) !== undefined, names.has(name), name);
  }
});

Deno.test("NameTable.find() tells a host that is longer than any name", () => {
  const table = new NameTable();
  table.add("example.com", NAME_ITSELF | NAME_BELOW);
  table.add("x".repeat(254), NAME_ITSELF);
  assertEquals(table.size, 1);
  assertEquals(table.find(`${"a.".repeat(500)}example.com`), "||example.com");
});
