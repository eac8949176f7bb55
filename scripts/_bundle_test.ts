/**
 * Tests of what is done to a bundle.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { toAscii } from "./_bundle.ts";

Deno.test("toAscii() escapes what is not ASCII, and a string stays the same", () => {
  const source = 'x = "a … 🦕\\n"; // →';
  const ascii = toAscii(source);
  assertEquals(ascii, 'x = "a \\u2026 \\ud83e\\udd95\\n"; // \\u2192');
  const literal = /".*"/.exec(ascii)![0];
  assertEquals(JSON.parse(literal), "a … 🦕\n");
});
