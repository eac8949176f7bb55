/**
 * Tests of the graphs of patterns: what they may cost, counted in steps.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { randomOf } from "../../tests/support/bytes.ts";
import { type GraphReading, makeGraph } from "./_pattern_graph.ts";
import { parsePattern } from "./_pattern_parser.ts";
import { PatternSet } from "./_pattern_set.ts";
import type { PatternNode } from "./_pattern_tree.ts";
import { parseAcl } from "./parser.ts";

/**
 * Ten for each of 10,000 edges, and what the last part may add before it is
 * seen: two lists of 1,000 places with at most 16 conditions.
 */
const MOST_STEPS = 100_000 + 2 * 16_000;

function parse(text: string): PatternNode {
  const pattern = parsePattern(text);
  if (pattern.kind !== "problem") return pattern;
  throw new Error(`${text}: ${pattern.message} at ${pattern.at}`);
}

/** Counts how often its parts are looked at, whatever the builder says. */
class Visits {
  count = 0;

  /** The same pattern, whose every part counts. */
  watch(node: PatternNode): PatternNode {
    const inner: PatternNode = "parts" in node
      ? { ...node, parts: node.parts.map((part) => this.watch(part)) }
      : "part" in node
      ? { ...node, part: this.watch(node.part) }
      : node;
    const onVisit = (): void => void this.count++;
    return new Proxy(inner, {
      get(target, key): unknown {
        if (key === "kind") onVisit();
        return Reflect.get(target, key);
      },
    });
  }
}

/** Reads a pattern, and sees that it costs no more than it may. */
function readBounded(text: string): GraphReading {
  const visits = new Visits();
  const reading = makeGraph(visits.watch(parse(text)));
  assert(reading.steps <= MOST_STEPS, `${text}: ${reading.steps} steps`);
  // Ten visits for the ends of the pattern, which are looked at apart.
  assert(visits.count <= reading.steps + 10, `${text}: ${visits.count} visits`);
  return reading;
}

/** Patterns whose parts multiply, and whether they are too large. */
const NESTED: readonly (readonly [string, boolean])[] = [
  // Repetitions of what takes no character are one.
  ["(^){255}", false],
  ["((^){255}){255}", false],
  ["(((^){255}){255}){255}", false],
  ["(((^|$|\\b){255}){1,255}){2,}", false],
  [`${"(".repeat(99)}^${"){255}".repeat(99)}`, false],
  ["(?:^|$|\\b|\\B)?".repeat(200), false],
  ["((?:a{0}){255}){255}", false],
  // Conditions multiply the ends of repetitions.
  ["(?:\\ba?|\\Bb?|^){255}", true],
  ["(?:\\ba?|\\Bb?|^){20,}", false],
  ["(?:(?:\\ba?|\\Bb?|^){9}){255}", true],
  [`(?:${"|".repeat(4_000)}a){255}`, true],
  [`(?:${"^".repeat(4_000)}a){255}`, true],
  [`(?:${"a|".repeat(900)}b)${"\\b".repeat(900)}`, true],
  ["(((a?){255}){255}){255}", true],
  [`${"(".repeat(99)}a${"){255}".repeat(99)}`, true],
  [`(?:${"|".repeat(4_000)})`, false],
  ["[a-z]{1000}".replace("1000", "255").repeat(3), false],
];

for (const [text, isTooLarge] of NESTED) {
  const name = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  Deno.test(`makeGraph() takes few steps when it is ${name}`, () => {
    assertEquals(readBounded(text).graph === undefined, isTooLarge);
  });
}

Deno.test("makeGraph() takes few steps when repetitions stand in each other", () => {
  const below = randomOf(4711);
  const one = (choices: readonly string[]): string =>
    choices[below(choices.length)] ?? "";
  const part = (depth: number): string => {
    const atom = depth > 0 && below(4) > 0
      ? `(?:${
        Array.from({ length: 1 + below(3) }, () => parts(depth - 1)).join("|")
      })`
      : one(["^", "$", "\\b", "\\B", "a", "[ab]", ".", "\\.", "a{0}"]
        .slice(below(5)));
    if (atom.endsWith("}")) return atom;
    const most = 1 + below(255);
    return atom + one([
      "",
      "*",
      "?",
      "+",
      `{${most}}`,
      `{${below(most)},${most}}`,
      `{${most},}`,
    ]);
  };
  const parts = (depth: number): string =>
    Array.from({ length: 1 + below(3) }, () => part(depth)).join("");
  let refused = 0;
  for (let i = 0; i < 1_000; i++) {
    if (readBounded(parts(5)).graph === undefined) refused++;
  }
  // Both outcomes are tested, or the patterns are not the right ones.
  assert(refused > 100 && refused < 900, `${refused}`);
});

/** Each costs much for what it is; how often it is tried. */
const DEAR: readonly (readonly [string, number])[] = [
  ["(?:\\ba?|\\Bb?|^){30}", 40_000],
  [`(?:${"^".repeat(400)}a){200}`, 40_000],
  [`(?:${"|".repeat(900)}){90}\\b\\B`, 400_000],
];

for (const [text, times] of DEAR) {
  Deno.test(`PatternSet.add() ends before long when many are ${text.slice(0, 20)}`, () => {
    const visits = new Visits();
    const pattern = visits.watch(parse(text));
    const set = new PatternSet();
    let fault: string | undefined;
    for (let i = 0; i < times && fault === undefined; i++) {
      fault = set.add(text, pattern);
    }
    assertEquals(fault, "there are too many expressions in this list");
    // Twenty for each of 200,000 edges, and those of the last pattern.
    assert(visits.count < 4_000_000 + 2 * MOST_STEPS, `${visits.count}`);
  });
}

Deno.test("parseAcl() refuses a pattern that is too large at once", () => {
  const reading = parseAcl("[bypass_list]\n(?:\\ba?|\\Bb?|^){255}\n", "x.acl");
  const [problem] = "problems" in reading ? reading.problems : [];
  assert(problem?.message.endsWith(": it is too large"), problem?.message);
});

/** Repetitions of conditions; each must agree with the language's own. */
const CONDITIONS: readonly string[] = [
  "(^){3}a",
  "((^){2}|b){2}a",
  "(?:\\b){2}a",
  "(?:\\b|\\B){2}b$",
  "(?:$){0}b",
  "(?:^|\\b){1,3}a$",
  "(?:\\ba?|\\Bb?|^){4}c",
  "^(?:\\ba?|\\B\\.?|b){2,}$",
];

Deno.test("PatternSet.find() agrees with RegExp where conditions are repeated", () => {
  const hosts = [
    "",
    "a",
    "b",
    "ab",
    "ba",
    "a.b",
    "b.a",
    "abc",
    "a..a",
    "bb.ac",
  ];
  for (const text of CONDITIONS) {
    const set = new PatternSet();
    assertEquals(set.add(text, parse(text)), undefined, text);
    set.seal();
    const regexp = new RegExp(text);
    for (const host of hosts) {
      const found = set.find(host) !== undefined;
      assertEquals(found, regexp.test(host), `${text} on "${host}"`);
    }
  }
});
