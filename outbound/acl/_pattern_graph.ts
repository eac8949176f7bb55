/**
 * Turns patterns into graphs without loops that eat nothing: each place in a
 * pattern where a character may stand is a node, and an edge says which place
 * may follow which (Glushkov's construction). A conditional edge may be taken
 * only where its boundary fits: `^`, `$`, `\b` and `\B`.
 *
 * @module
 */

import {
  AT_END,
  AT_START,
  AT_WORD,
  type CharacterSet,
  NOT_AT_WORD,
  type PatternNode,
} from "./_pattern_tree.ts";

/** Stands for "before the first character" as the start of an edge. */
export const START = -1;
/** Stands for "the pattern fits" as the end of an edge. */
export const FITS = -1;

/** More places for characters than any real rule has. */
const MAX_PLACES = 1_000;
/** More edges than any real rule has. */
const MAX_EDGES = 10_000;

/** A way from one place to another. */
export interface Edge {
  /** A place; {@linkcode START}. */
  readonly from: number;
  /** A place; {@linkcode FITS}. */
  readonly to: number;
  /** What the boundary between them must be; 0: anything. */
  readonly mask: number;
}

/** A pattern as a graph. */
export interface PatternGraph {
  /** The characters that may stand at each place. */
  readonly places: readonly CharacterSet[];
  /** The ways between them. */
  readonly edges: readonly Edge[];
}

/** A place, and the condition on the boundary at its outer side. */
interface Link {
  readonly place: number;
  readonly mask: number;
}

/** A part of the graph. */
interface Fragment {
  /** Conditions under which the part may be the empty text. */
  readonly empty: readonly number[];
  /** Where it may begin. */
  readonly first: readonly Link[];
  /** Where it may end. */
  readonly last: readonly Link[];
}

const NOTHING: Fragment = { empty: [0], first: [], last: [] };

/**
 * Makes the graph of a pattern that may begin anywhere in a host.
 *
 * @param pattern The pattern.
 * @returns The graph; undefined if the pattern is too large.
 */
export function makeGraph(pattern: PatternNode): PatternGraph | undefined {
  const trimmed = trimPattern(pattern);
  if (countPlaces(trimmed) > MAX_PLACES) return undefined;
  const builder = new GraphBuilder();
  const whole = builder.build(trimmed);
  for (const { place, mask } of whole.first) {
    builder.connect(START, place, mask);
  }
  for (const { place, mask } of whole.last) builder.connect(place, FITS, mask);
  for (const mask of whole.empty) builder.connect(START, FITS, mask);
  return builder.isTooLarge ? undefined : builder;
}

class GraphBuilder implements PatternGraph {
  readonly places: CharacterSet[] = [];
  readonly edges: Edge[] = [];
  readonly #known = new Set<number>();
  isTooLarge = false;

  build(node: PatternNode): Fragment {
    // What is too large is given up, so its shape does not matter.
    if (this.isTooLarge) return NOTHING;
    switch (node.kind) {
      case "set": {
        const link = { place: this.places.push(node.set) - 1, mask: 0 };
        return { empty: [], first: [link], last: [link] };
      }
      case "assert":
        return { empty: [node.mask], first: [], last: [] };
      case "sequence":
        return this.#buildSequence(node.parts);
      case "choice": {
        const parts = node.parts.map((part) => this.build(part));
        return {
          empty: leastMasks(parts.flatMap(({ empty }) => empty)),
          first: parts.flatMap(({ first }) => first),
          last: parts.flatMap(({ last }) => last),
        };
      }
      case "repeat":
        return this.#buildRepeat(node.part, node.least, node.most);
    }
  }

  connect(from: number, to: number, mask: number): void {
    if (this.isTooLarge || isImpossible(from, to, mask)) return;
    // Both ends are below 1,000 and the mask is below 16.
    const key = ((from + 1) * 1024 + to + 1) * 16 + mask;
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.edges.push({ from, to, mask });
    if (this.edges.length > MAX_EDGES) this.isTooLarge = true;
  }

  #buildSequence(parts: readonly PatternNode[]): Fragment {
    let whole = NOTHING;
    for (const part of parts) whole = this.#append(whole, this.build(part));
    return whole;
  }

  #buildRepeat(part: PatternNode, least: number, most: number): Fragment {
    const isEndless = most === Infinity;
    const copies: Fragment[] = [];
    for (let i = 0; i < (isEndless ? Math.max(least, 1) : most); i++) {
      copies.push(this.build(part));
    }
    const final = copies.at(-1);
    if (final === undefined) return NOTHING;
    if (isEndless) this.#link(final.last, final.first);
    const isConditional = final.empty.some((mask) => mask !== 0);
    if (!isConditional) {
      return this.#chain(copies, final.empty.length > 0 ? 0 : least);
    }
    let whole = NOTHING;
    for (const [i, copy] of copies.entries()) {
      whole = this.#append(whole, i < least ? copy : { ...copy, empty: [0] });
    }
    return whole;
  }

  /**
   * The first `least` copies or more of them, none of them the empty text.
   * Each follows only the one before, or a long chain would have as many
   * edges as the square of its length.
   */
  #chain(copies: readonly Fragment[], least: number): Fragment {
    for (let i = 1; i < copies.length; i++) {
      this.#link(copies[i - 1]!.last, copies[i]!.first);
    }
    return {
      empty: least === 0 ? [0] : [],
      first: copies[0]!.first,
      last: copies.slice(Math.max(least - 1, 0)).flatMap(({ last }) => last),
    };
  }

  #append(before: Fragment, after: Fragment): Fragment {
    this.#link(before.last, after.first);
    if (this.isTooLarge) return NOTHING;
    return {
      empty: leastMasks(cross(before.empty, after.empty)),
      first: [...before.first, ...widen(after.first, before.empty)],
      last: [...after.last, ...widen(before.last, after.empty)],
    };
  }

  #link(from: readonly Link[], to: readonly Link[]): void {
    for (const start of from) {
      for (const end of to) {
        this.connect(start.place, end.place, start.mask | end.mask);
        if (this.isTooLarge) return;
      }
    }
  }
}

/** The links as they are when a part beside them is the empty text. */
function widen(links: readonly Link[], masks: readonly number[]): Link[] {
  return masks.flatMap((mask) =>
    links.map((link) => ({ place: link.place, mask: link.mask | mask }))
  );
}

function cross(x: readonly number[], y: readonly number[]): number[] {
  return x.flatMap((one) => y.map((other) => one | other));
}

/** The masks without those that ask for more than another one does. */
function leastMasks(masks: readonly number[]): number[] {
  return [...new Set(masks)].filter((mask) =>
    !masks.some((other) => other !== mask && (other & mask) === other)
  );
}

/** Whether no boundary can fit: a start behind a character, and the like. */
function isImpossible(from: number, to: number, mask: number): boolean {
  const words = AT_WORD | NOT_AT_WORD;
  return (mask & words) === words ||
    (from !== START && (mask & AT_START) !== 0) ||
    (to !== FITS && (mask & AT_END) !== 0);
}

function countPlaces(node: PatternNode): number {
  switch (node.kind) {
    case "set":
      return 1;
    case "assert":
      return 0;
    case "repeat": {
      const copies = node.most === Infinity
        ? Math.max(node.least, 1)
        : node.most;
      return countPlaces(node.part) * copies;
    }
    default:
      return node.parts.reduce((sum, part) => sum + countPlaces(part), 0);
  }
}

/**
 * Takes `.*` from both ends, and `^` or `$` outside of it: a pattern may begin
 * and end anywhere, and what is gone costs no time.
 */
function trimPattern(pattern: PatternNode): PatternNode {
  if (pattern.kind !== "sequence") return pattern;
  let parts = pattern.parts;
  if (isAnything(parts[0])) parts = parts.slice(1);
  else if (isAssert(parts[0], AT_START) && isAnything(parts[1])) {
    parts = parts.slice(2);
  }
  if (isAnything(parts.at(-1))) parts = parts.slice(0, -1);
  else if (isAssert(parts.at(-1), AT_END) && isAnything(parts.at(-2))) {
    parts = parts.slice(0, -2);
  }
  return { kind: "sequence", parts };
}

function isAnything(node: PatternNode | undefined): boolean {
  return node?.kind === "repeat" && node.least === 0 &&
    node.most === Infinity && node.part.kind === "set" &&
    node.part.set.every((bits) => bits === -1);
}

function isAssert(node: PatternNode | undefined, mask: number): boolean {
  return node?.kind === "assert" && node.mask === mask;
}
