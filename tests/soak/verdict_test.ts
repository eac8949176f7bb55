/**
 * Tests of what a soak must show.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { readRole, type SoakResult, verdictOf } from "./_verdict.ts";

const CALM = { resident: 100, descriptors: 10 };
const GOOD: SoakResult = {
  before: [CALM, CALM],
  after: [{ resident: 115, descriptors: 10 }, {
    resident: 50,
    descriptors: 10,
  }],
  wrong: [],
  logs: ["INFO: starting local", ""],
};

Deno.test("verdictOf() passes a soak that leaves nothing behind", () => {
  assertEquals(verdictOf(GOOD), []);
});

Deno.test("verdictOf() tells everything that is left behind", () => {
  const cases: readonly (readonly [Partial<SoakResult>, string])[] = [
    [
      { after: [{ ...CALM, resident: 116 }, CALM] },
      "sslocal has 116 bytes at the end, not 100",
    ],
    [
      { after: [CALM, { ...CALM, descriptors: 11 }] },
      "ssserver has 11 descriptors at the end, not 10",
    ],
    [{ wrong: ["short: other bytes came"] }, "short: other bytes came"],
    [
      { logs: ["", "INFO: a\nERROR: Unexpected x\nINFO: b"] },
      "ssserver says: ERROR: Unexpected x",
    ],
  ];
  for (const [change, problem] of cases) {
    assertEquals(verdictOf({ ...GOOD, ...change }), [problem]);
  }
  const wrong = Array.from({ length: 25 }, (_, i) => `${i}`);
  assertEquals(verdictOf({ ...GOOD, wrong }).at(-1), "5 more");
});

Deno.test({
  name: "readRole() reads what a process holds",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const { resident, descriptors } = await readRole(Deno.pid);
    assertEquals(resident > 10e6 && descriptors > 3, true);
  },
});
