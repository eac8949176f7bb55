/**
 * Tests of patterns: what they fit, what is refused, and that no pattern and
 * no host can take long.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { parsePattern } from "./_pattern_parser.ts";
import type { PatternNode } from "./_pattern_tree.ts";
import { PatternSet } from "./_pattern_set.ts";
import { randomOf } from "../../tests/support/bytes.ts";

function parse(text: string): PatternNode {
  const pattern = parsePattern(text);
  if (pattern.kind !== "problem") return pattern;
  throw new Error(`${text}: ${pattern.message} at ${pattern.at}`);
}

function setOf(...patterns: readonly string[]): PatternSet {
  const set = new PatternSet();
  for (const text of patterns) {
    assertEquals(set.add(text, parse(text)), undefined, text);
  }
  set.seal();
  return set;
}

/** Each is tried on each host, and must agree with the language's own. */
const PATTERNS: readonly string[] = [
  "google",
  "google\\.com",
  "google.com",
  "^google\\.com$",
  "^google",
  "com$",
  "\\.cn$",
  "(^|\\.)example\\.com$",
  "^(.*\\.)?example\\.com$",
  "^[a-z]{5}\\.baidu\\.com",
  "^.*$",
  "",
  "^$",
  "$",
  "^",
  "a*",
  "^a*$",
  "^(a|b)*c?$",
  "^(?:ab){2}$",
  "^(?:ab){2,}$",
  "^(?:a?b?){1,3}$",
  "^a{0,2}b{0}$",
  "[^a-z.]",
  "[0-9-]+",
  "[-a]x",
  "^\\w+\\.\\d+$",
  "\\D\\d\\D",
  "\\bcom\\b",
  "\\Boogle\\B",
  "\\bgoogle",
  "(a|ab)(c|bcd)(d*)$",
  "x?y?z?$",
  "(^a|b$)",
  "(^|b)a",
  "^^google",
  "o{2}",
  "o{2,3}g",
  "g.*e.*c",
  ".+google.+",
  "google.*",
  "^.*google",
  "(?:)",
  "a||b",
  "[a-c-e]",
  "(?<name>oo)gle",
  "((((a))))",
  "\\x61b",
  "^(?:$|a)",
  "(^|\\.){2}a",
  "(\\b|x)a",
];

const HOSTS: readonly string[] = [
  "",
  "a",
  "b",
  "aa",
  "ab",
  "abab",
  "ababab",
  "abcd",
  "ac",
  "c",
  "ba",
  "ax",
  "-x",
  ".a",
  "..a",
  "google.com",
  "www.google.com",
  "google.com.hk",
  "googlexcom",
  "mygoogle.com",
  "example.com",
  "www.example.com",
  "notexample.com",
  "abcde.baidu.com",
  "abcdef.baidu.com",
  "x.cn",
  "cn",
  "host.1",
  "a1b",
  "a-1",
  "com",
  "xn--p-8sbkgc5ag7bhce.xn--ba-lmcq",
];

for (const pattern of PATTERNS) {
  Deno.test(`PatternSet.find() agrees with RegExp when it is ${pattern}`, () => {
    const set = setOf(pattern);
    const regexp = new RegExp(pattern);
    for (const host of HOSTS) {
      const expected = regexp.test(host) ? pattern : undefined;
      assertEquals(set.find(host), expected, `"${host}"`);
    }
  });
}

Deno.test("PatternSet.find() tells which of many patterns fits", () => {
  const set = setOf("^mail", "facebook", "goo+gle", "^[0-9]+$", "\\.onion$");
  const table = [
    ["mail.example.com", "^mail"],
    ["www.facebook.com", "facebook"],
    ["gooooogle.com", "goo+gle"],
    ["12345", "^[0-9]+$"],
    ["abc.onion", "\\.onion$"],
    ["example.com", undefined],
    ["", undefined],
  ] as const;
  for (const [host, rule] of table) assertEquals(set.find(host), rule, host);
});

Deno.test("PatternSet.find() is for hosts in lower case, whatever the pattern's", () => {
  for (const pattern of ["GOOGLE", "[F-H]oogle", "(?i)Google", "\\x47oogle"]) {
    assertEquals(setOf(pattern).find("google.com"), pattern);
  }
  assertEquals(setOf("^[^A-Z]+$").find("google"), undefined);
  assertEquals(
    setOf("^[[:alpha:]]+[[:digit:]]$").find("ab1"),
    "^[[:alpha:]]+[[:digit:]]$",
  );
  assertEquals(setOf("^[[:^alpha:].]+$").find("1.2"), "^[[:^alpha:].]+$");
});

/** Each makes a matcher that goes back run for ages. */
const EVIL: readonly string[] = [
  "^(a+)+$",
  "^(a*)*$",
  "^(a|a)*$",
  "^(a|aa)+$",
  "^(.*a){20}$",
  "^(([a-z])+.)+[A-Z]([a-z])+$",
  "(x+x+)+y",
  "^(\\w+\\.?)*!$",
  "(.*)*(.*)*(.*)*!",
  "^(a?){40}a{40}$",
  "((a{1,9}){1,9}){1,9}!",
];

Deno.test("PatternSet.find() is linear when patterns are evil", () => {
  const set = setOf(...EVIL);
  const hosts = [
    `${"a".repeat(254)}!x`,
    `${"x".repeat(255)}`,
    `${"ab.".repeat(85)}`,
    `${"a.".repeat(127)}-`,
  ];
  // One that goes back would not come to an end in this life.
  for (const host of hosts) set.find(host);
  assertEquals(setOf("^(a+)+$").find(`${"a".repeat(254)}!`), undefined);
  assertEquals(setOf("^(a+)+$").find("a".repeat(255)), "^(a+)+$");
  assertEquals(setOf("^(.*a){20}$").find("ba".repeat(20)), "^(.*a){20}$");
  assertEquals(setOf("^(.*a){20}$").find("ba".repeat(19)), undefined);
});

Deno.test("PatternSet.add() refuses a pattern that is too large", () => {
  const large = [
    "(a{255}){255}",
    "((((a{99}){99}){99}){99}){99}",
    "(a?b?c?d?e?f?g?h?i?j?k?l?m?n?o?p?q?r?s?t?){50}*".slice(0, -1),
    "(?:[ab]|[cd]|[ef]|[gh]){1,255}x{1,255}(?:a|b|c|d){250}",
  ];
  for (const text of large) {
    const set = new PatternSet();
    assertEquals(set.add(text, parse(text)), "it is too large", text);
  }
});

Deno.test("PatternSet.add() refuses more than a list may have", () => {
  const pattern = parse("[a-z]{200}");
  const set = new PatternSet();
  let count = 0;
  while (set.add("[a-z]{200}", pattern) === undefined) count++;
  assertEquals(
    set.add("[a-z]{200}", pattern),
    "there are too many expressions in this list",
  );
  assertEquals(count, Math.floor(200_000 / 201));
});

/** What is wrong, and where. */
const BAD: readonly (readonly [string, number, string])[] = [
  ["(a", 0, '"(" without a ")"'],
  ["a)", 1, '")" without a "("'],
  ["[a", 0, '"[" without a "]"'],
  ["x[]", 1, '"[" without a "]"'],
  ["*a", 0, 'nothing before "*"'],
  ["a|+b", 2, 'nothing before "+"'],
  ["a**", 2, "a repetition of a repetition"],
  ["a{2}{3}", 4, "a repetition of a repetition"],
  ["a{x}", 1, '"{" without a count'],
  ["a{3,2}", 1, "a count whose end is before it"],
  ["a{256}", 1, "a count above 255"],
  ["a++", 2, "possessive"],
  ["(?=a)", 0, "look-around"],
  ["x(?!a)", 1, "look-around"],
  ["(?<=a)b", 0, "look-around"],
  ["(?<!a)b", 0, "look-around"],
  ["(a)\\1", 3, "references back"],
  ["a\\", 1, '"\\" at the end'],
  ["\\pL", 0, '"\\p" is not supported'],
  ["[z-a]", 1, "a range whose end is before it"],
  ["[[:foo:]]", 1, '"[:foo:]" names no set'],
  ["(".repeat(200), 101, "too many groups"],
];

for (const [text, at, message] of BAD) {
  Deno.test(`parsePattern() refuses ${text.slice(0, 20)}`, () => {
    const problem = parsePattern(text);
    if (problem.kind !== "problem") throw new Error(`${text} was read`);
    assert(problem.message.includes(message), problem.message);
    assertEquals(problem.at, at);
  });
}

/** Patterns that are the same in every run. */
class RandomPatterns {
  readonly below = randomOf(12345);

  one(choices: readonly string[]): string {
    return choices[this.below(choices.length)] ?? "";
  }

  pattern(depth: number): string {
    const parts = Array.from({ length: 1 + this.below(3) }, () => {
      const count = this.below(5);
      return Array.from({ length: count }, () => this.#repeated(depth)).join(
        "",
      );
    });
    return parts.join("|");
  }

  #repeated(depth: number): string {
    const kind = this.below(10);
    if (kind === 0) return this.one(["^", "$", "\\b", "\\B"]);
    const atom = kind < 7 || depth === 0
      ? this.one(["a", "b", "c", "\\.", ".", "[ab]", "[^a]"])
      : `${this.one(["(", "(?:"])}${this.pattern(depth - 1)})`;
    return atom +
      this.one(["", "", "", "*", "+", "?", "{2}", "{0,2}", "{1,3}"]);
  }
}

Deno.test("PatternSet.find() agrees with RegExp on random patterns", () => {
  const random = new RandomPatterns();
  for (let i = 0; i < 2000; i++) {
    const text = random.pattern(3);
    const set = setOf(text);
    const regexp = new RegExp(text);
    for (let j = 0; j < 6; j++) {
      const host = Array.from(
        { length: random.below(8) },
        () => random.one(["a", "b", "c", "."]),
      ).join("");
      assertEquals(set.find(host) !== undefined, regexp.test(host), text);
    }
  }
});
