/**
 * The checks of single modules, on synthetic sources and graphs.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { findFaults, findUnreached } from "./check_files.ts";

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

/** Each module, and what it imports. */
const GRAPH: Readonly<Record<string, readonly string[]>> = {
  "main.ts": ["relay/mod.ts"],
  "process/_worker.ts": ["process/_messages.ts"],
  "process/_messages.ts": [],
  "relay/mod.ts": ["relay/pipe.ts"],
  "relay/pipe.ts": ["npm:library@1.0.0"],
  "relay/dead.ts": ["relay/dead_too.ts", "relay/pipe.ts"],
  "relay/dead_too.ts": ["relay/dead.ts"],
  "relay/only_tested.ts": [],
  "relay/only_tested_test.ts": ["relay/only_tested.ts", "relay/fakes.ts"],
  "relay/fakes.ts": [],
  "relay/_dead_fixture.ts": [],
  "relay/acl_bench.ts": ["relay/_bench_fixture.ts"],
  "relay/_bench_fixture.ts": [],
  "config/for_scripts.ts": [],
  "config/for_tests_of_scripts.ts": [],
  "scripts/docs.ts": ["config/for_scripts.ts"],
  "scripts/docs_test.ts": ["config/for_tests_of_scripts.ts"],
  "scripts/_unused.ts": [],
  "socks5/far_fixture.ts": [],
  "inbound/mod.ts": ["inbound/shown_alone.ts"],
  "inbound/shown_alone.ts": [],
  "tests/e2e/x_test.ts": ["tests/support/mod.ts", "inbound/mod.ts"],
  "tests/support/mod.ts": ["socks5/far_fixture.ts"],
  "tests/measure/by_hand.ts": [],
};

Deno.test("findUnreached() finds what nothing reaches that is started", () => {
  const edges = Object.entries(GRAPH).flatMap(([from, list]) =>
    list.map((to) => ({ from, to, specifier: to, line: 1 }))
  );
  assertEquals(findUnreached(Object.keys(GRAPH), edges), [
    "relay/dead.ts",
    "relay/dead_too.ts",
    "relay/only_tested.ts",
    "relay/_dead_fixture.ts",
    "config/for_tests_of_scripts.ts",
    "inbound/shown_alone.ts",
  ]);
});
