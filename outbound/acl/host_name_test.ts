/**
 * The form in which rules compare host names.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { canonicalHost } from "./_host_name.ts";

/** A name as it comes, and as it is compared. */
const NAMES: readonly (readonly [name: string, canonical: string])[] = [
  ["example.com", "example.com"],
  ["Example.COM.", "example.com"],
  ["b\u00fccher.example", "xn--bcher-kva.example"],
  ["B\u00dcCHER.example.", "xn--bcher-kva.example"],
  // UTF-8, byte by byte.
  ["b\u00c3\u00bccher.example", "xn--bcher-kva.example"],
  ["\u65e5\u672c\u8a9e\u3002jp", "xn--wgv71a119e.jp"],
  // The Kelvin sign, and digits of full width: no address comes of them.
  ["\u212a.example", "k.example"],
  ["\uff11.2.3", "1.2.3"],
  // What has no ASCII form keeps its letters.
  ["xn--a-\u00fc.example", "xn--a-\u00fc.example"],
  ["\u2100.example", "\u2100.example"],
  ["\u00fc/a", "\u00fc/a"],
  ["\u00fc@b:80", "\u00fc@b:80"],
  ["\ud800.example", "\ud800.example"],
  ["a\u0000\u00fc", "a\u0000\u00fc"],
];

for (const [name, canonical] of NAMES) {
  Deno.test(`canonicalHost() gives the form of ${JSON.stringify(name)}`, () => {
    assertEquals(canonicalHost(name), canonical);
  });
}
