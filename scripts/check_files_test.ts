/**
 * The shape check on synthetic sources.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { findFaults } from "./check_files.ts";

const HEADER = "/**\n * What it is.\n *\n * @module\n */\n";
const NO_COMMENT = "does not open with a module comment that ends in @module";

const TABLE: readonly {
  readonly name: string;
  readonly text: string;
  readonly faults: readonly string[];
}[] = [
  { name: "a header", text: HEADER, faults: [] },
  { name: "500 lines", text: HEADER + "x;\n".repeat(495), faults: [] },
  {
    name: "501 lines",
    text: HEADER + "x;\n".repeat(496),
    faults: ["has 501 lines, at most 500 are allowed"],
  },
  { name: "no header", text: "x;\n", faults: [NO_COMMENT] },
  {
    name: "a header without @module",
    text: "/**\n * What it is.\n */\n",
    faults: [NO_COMMENT],
  },
  { name: "code first", text: "x;\n" + HEADER, faults: [NO_COMMENT] },
];

for (const { name, text, faults } of TABLE) {
  Deno.test(`findFaults() judges ${name}`, () => {
    assertEquals(findFaults(text), faults);
  });
}
