/**
 * Reads patterns: the regular expressions of rules, in what PCRE, the `regex`
 * crate and JavaScript have in common. Look-around and references back are
 * refused: no matcher can bound its time with them.
 *
 * @module
 */

import {
  ANY,
  AT_END,
  AT_START,
  AT_WORD,
  type CharacterSet,
  complement,
  NOT_AT_WORD,
  type PatternNode,
  setOf,
  union,
  withSmallLetters,
} from "./_pattern_tree.ts";

/** Why a pattern cannot be read. */
export interface PatternProblem {
  readonly kind: "problem";
  /** Where in the pattern, from 0. */
  readonly at: number;
  /** What is wrong, and what to write instead where that is known. */
  readonly message: string;
}

/** Deeper groups would need a deep stack to be read. */
const MAX_DEPTH = 100;
/** A host has at most 255 characters. */
const MAX_COUNT = 255;

const DIGIT = setOf([0x30, 0x39]);
const LOWER = setOf([0x61, 0x7a]);
const UPPER = setOf([0x41, 0x5a]);
const WORD = union(union(DIGIT, setOf([0x5f, 0x5f])), union(LOWER, UPPER));
const SPACE = setOf([0x09, 0x0d], [0x20, 0x20]);

/** What `\d`, `\w` and their like stand for. */
const ESCAPED_SETS: Readonly<Record<string, CharacterSet>> = {
  d: DIGIT,
  D: complement(DIGIT),
  w: WORD,
  W: complement(WORD),
  s: SPACE,
  S: complement(SPACE),
};

/** What `[:alpha:]` and its like stand for inside of brackets. */
const NAMED_SETS: Readonly<Record<string, CharacterSet>> = {
  alnum: union(DIGIT, union(LOWER, UPPER)),
  alpha: union(LOWER, UPPER),
  digit: DIGIT,
  lower: LOWER,
  punct: setOf([0x21, 0x2f], [0x3a, 0x40], [0x5b, 0x60], [0x7b, 0x7e]),
  space: SPACE,
  upper: UPPER,
  word: WORD,
  xdigit: setOf([0x30, 0x39], [0x41, 0x46], [0x61, 0x66]),
};

/** Conditions that are written with a backslash. */
const ESCAPED_ASSERTS: Readonly<Record<string, number>> = {
  A: AT_START,
  z: AT_END,
  Z: AT_END,
  b: AT_WORD,
  B: NOT_AT_WORD,
};

/** The start of a group that only groups; the flag `i` is always on. */
const GROUP_REGEXP = /\((?:\?(?:i?:|P?<[A-Za-z_]\w*>))?/y;
/** Flags that change nothing here. */
const FLAGS_REGEXP = /\(\?i\)/y;
const COUNT_REGEXP = /\{(\d{1,4})(,(\d{0,4}))?\}/y;
const NAMED_SET_REGEXP = /\[:(\^?)([a-z]+):\]/y;
const HEX_REGEXP = /x([0-7][0-9a-fA-F])/y;

/**
 * Reads a pattern.
 *
 * @param text The pattern, ASCII.
 * @returns Its parts, or why it cannot be read.
 */
export function parsePattern(text: string): PatternNode | PatternProblem {
  try {
    return new PatternParser(text).parse();
  } catch (error) {
    if (error instanceof PatternError) return error.problem;
    throw error;
  }
}

/** Ends the reading of a pattern from any depth; never leaves this file. */
class PatternError extends Error {
  readonly problem: PatternProblem;

  constructor(at: number, message: string) {
    super(message);
    this.problem = { kind: "problem", at, message };
  }
}

class PatternParser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): PatternNode {
    const node = this.#choice();
    if (this.#at < this.#text.length) this.#fail('")" without a "("');
    return node;
  }

  #choice(): PatternNode {
    const parts = [this.#sequence()];
    while (this.#take("|")) parts.push(this.#sequence());
    return parts.length === 1 ? parts[0]! : { kind: "choice", parts };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    for (;;) {
      const next = this.#text[this.#at];
      if (next === undefined || next === "|" || next === ")") break;
      if (this.#match(FLAGS_REGEXP) !== undefined) continue;
      parts.push(this.#repeated(this.#atom()));
    }
    return parts.length === 1 ? parts[0]! : { kind: "sequence", parts };
  }

  #repeated(part: PatternNode): PatternNode {
    let node = part;
    for (let isFirst = true;; isFirst = false) {
      const start = this.#at;
      const bounds = this.#bounds();
      if (bounds === undefined) return node;
      if (!isFirst) this.#fail("a repetition of a repetition", start);
      node = { kind: "repeat", part: node, ...bounds };
      // Whether it takes much or little first changes no answer.
      this.#take("?");
      if (this.#text[this.#at] === "+") {
        this.#fail("possessive repetitions are not supported");
      }
    }
  }

  #bounds(): { readonly least: number; readonly most: number } | undefined {
    if (this.#take("*")) return { least: 0, most: Infinity };
    if (this.#take("+")) return { least: 1, most: Infinity };
    if (this.#take("?")) return { least: 0, most: 1 };
    if (this.#text[this.#at] !== "{") return undefined;
    const start = this.#at;
    const count = this.#match(COUNT_REGEXP);
    if (count === undefined) this.#fail('"{" without a count such as {2,5}');
    const least = Number(count[1]);
    const most = count[2] === undefined ? least : Number(count[3] || Infinity);
    if (least > most) this.#fail("a count whose end is before it", start);
    if (least > MAX_COUNT || (most > MAX_COUNT && most !== Infinity)) {
      this.#fail(`a count above ${MAX_COUNT}: no host is longer`, start);
    }
    return { least, most };
  }

  #atom(): PatternNode {
    const start = this.#at;
    const character = this.#text[start]!;
    switch (character) {
      case "(":
        return this.#group();
      case "[":
        this.#at++;
        return { kind: "set", set: this.#brackets(start) };
      case ".":
        this.#at++;
        return { kind: "set", set: ANY };
      case "^":
        this.#at++;
        return { kind: "assert", mask: AT_START };
      case "$":
        this.#at++;
        return { kind: "assert", mask: AT_END };
      case "\\":
        this.#at++;
        return this.#escape(start);
      case "*":
      case "+":
      case "?":
      case "{":
        return this.#fail(`nothing before "${character}" that it could repeat`);
      default:
        this.#at++;
        return { kind: "set", set: literal(character.charCodeAt(0)) };
    }
  }

  #group(): PatternNode {
    const start = this.#at;
    const opening = this.#match(GROUP_REGEXP);
    if (opening === undefined || this.#text[this.#at] === "?") {
      this.#fail('look-around and flags are not supported, only "(?:"', start);
    }
    if (++this.#depth > MAX_DEPTH) this.#fail("too many groups in each other");
    const node = this.#choice();
    this.#depth--;
    if (!this.#take(")")) this.#fail('"(" without a ")"', start);
    return node;
  }

  #escape(start: number): PatternNode {
    const character = this.#text[this.#at];
    const mask = character && ESCAPED_ASSERTS[character];
    if (typeof mask === "number") {
      this.#at++;
      return { kind: "assert", mask };
    }
    const set = this.#escapedSet(start);
    return { kind: "set", set: withSmallLetters(set) };
  }

  /** What stands behind a backslash, inside of brackets and outside. */
  #escapedSet(start: number): CharacterSet {
    const hex = this.#match(HEX_REGEXP);
    if (hex !== undefined) return literal(parseInt(hex[1]!, 16));
    const character = this.#text[this.#at];
    if (character === undefined) this.#fail('"\\" at the end', start);
    const set = ESCAPED_SETS[character];
    if (set === undefined && /[A-Za-z0-9]/.test(character)) {
      const what = /[1-9k]/.test(character) ? ": no references back" : "";
      this.#fail(`"\\${character}" is not supported${what}`, start);
    }
    this.#at++;
    return set ?? literal(character.charCodeAt(0));
  }

  #brackets(start: number): CharacterSet {
    const isNegated = this.#take("^");
    let set: CharacterSet = [0, 0, 0, 0];
    // A bracket that comes first is one of the characters.
    for (let isFirst = true;; isFirst = false) {
      const next = this.#text[this.#at];
      if (next === undefined) this.#fail('"[" without a "]"', start);
      if (next === "]" && !isFirst) break;
      set = union(set, this.#range());
    }
    this.#at++;
    const whole = withSmallLetters(set);
    return isNegated ? complement(whole) : whole;
  }

  #range(): CharacterSet {
    const start = this.#at;
    const named = this.#match(NAMED_SET_REGEXP);
    if (named !== undefined) {
      const set = NAMED_SETS[named[2]!];
      if (set === undefined) {
        this.#fail(`"[:${named[2]}:]" names no set of characters`, start);
      }
      return named[1] === "" ? set : complement(set);
    }
    const first = this.#member();
    const text = this.#text;
    const isRange = text[this.#at] === "-" && text[this.#at + 1] !== "]" &&
      text[this.#at + 1] !== undefined;
    if (typeof first !== "number") return first;
    if (!isRange) return setOf([first, first]);
    this.#at++;
    const last = this.#member();
    if (typeof last !== "number" || last < first) {
      this.#fail("a range whose end is before it", start);
    }
    return setOf([first, last]);
  }

  /** One character inside of brackets, or a set such as `\d`. */
  #member(): number | CharacterSet {
    const start = this.#at++;
    const character = this.#text[start]!;
    if (character !== "\\") return character.charCodeAt(0);
    const set = this.#escapedSet(start);
    const escaped = this.#text[this.#at - 1]!;
    const isSet = this.#at === start + 2 && ESCAPED_SETS[escaped] !== undefined;
    return isSet ? set : onlyMember(set);
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #match(regexp: RegExp): RegExpExecArray | undefined {
    regexp.lastIndex = this.#at;
    const found = regexp.exec(this.#text) ?? undefined;
    if (found !== undefined) this.#at += found[0].length;
    return found;
  }

  #fail(message: string, at = this.#at): never {
    throw new PatternError(at, message);
  }
}

function literal(code: number): CharacterSet {
  return withSmallLetters(setOf([code, code]));
}

/** The first code in a set. */
function onlyMember(set: CharacterSet): number {
  const word = set.findIndex((bits) => bits !== 0);
  return word * 32 + 31 - Math.clz32(set[word]! & -set[word]!);
}
