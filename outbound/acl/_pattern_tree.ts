/**
 * The parts that a pattern (a regular expression of a rule) is made of.
 *
 * @module
 */

/** The boundary must be the start of the host: `^`. */
export const AT_START = 1;
/** The boundary must be the end of the host: `$`. */
export const AT_END = 2;
/** The boundary must be one of a word: `\b`. */
export const AT_WORD = 4;
/** The boundary must not be one of a word: `\B`. */
export const NOT_AT_WORD = 8;

/** A set of ASCII characters: four words of 32 bits. */
export type CharacterSet = readonly [number, number, number, number];

/** A pattern, or a part of one. */
export type PatternNode =
  | {
    /** One character. */
    readonly kind: "set";
    readonly set: CharacterSet;
  }
  | {
    /** A condition on a boundary between characters. */
    readonly kind: "assert";
    readonly mask: number;
  }
  | {
    /** One part behind the other; none at all: the empty text. */
    readonly kind: "sequence";
    readonly parts: readonly PatternNode[];
  }
  | {
    /** One of several. */
    readonly kind: "choice";
    readonly parts: readonly PatternNode[];
  }
  | {
    /** A part again and again. */
    readonly kind: "repeat";
    readonly part: PatternNode;
    readonly least: number;
    /** `Infinity`: without bound. */
    readonly most: number;
  };

/** Every character: what `.` stands for, as a host has no line ends. */
export const ANY: CharacterSet = [-1, -1, -1, -1];

/**
 * Makes a set.
 *
 * @param ranges First and last code of each range, ASCII.
 */
export function setOf(
  ...ranges: readonly (readonly [number, number])[]
): CharacterSet {
  const set: [number, number, number, number] = [0, 0, 0, 0];
  for (const [first, last] of ranges) {
    for (let code = first; code <= last; code++) {
      set[code >> 5]! |= 1 << (code & 31);
    }
  }
  return set;
}

/**
 * Tells whether a character is in a set.
 *
 * @param set The set.
 * @param code The character's code, ASCII.
 */
export function has(set: CharacterSet, code: number): boolean {
  return (set[code >> 5]! & (1 << (code & 31))) !== 0;
}

/**
 * Joins two sets.
 *
 * @param x A set.
 * @param y Another one.
 */
export function union(x: CharacterSet, y: CharacterSet): CharacterSet {
  return [x[0] | y[0], x[1] | y[1], x[2] | y[2], x[3] | y[3]];
}

/**
 * Gives all characters that are not in a set.
 *
 * @param set The set.
 */
export function complement(set: CharacterSet): CharacterSet {
  return [~set[0], ~set[1], ~set[2], ~set[3]];
}

/**
 * Adds the small letter of every capital in a set: hosts are compared in lower
 * case.
 *
 * @param set The set.
 */
export function withSmallLetters(set: CharacterSet): CharacterSet {
  // Codes 65 to 90 are bits 1 to 26 of word 2, their small letters the same
  // bits of word 3.
  return [set[0], set[1], set[2], set[3] | (set[2] & 0x07fffffe)];
}
