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
/**
 * Steps that the largest graph may cost: ten for each of its edges. A step is
 * a part that is built, a link that is made, or an edge that is asked for;
 * repetitions in each other would else take as many as the product of their
 * counts.
 */
const MAX_STEPS = 10 * MAX_EDGES;

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

/** What became of a pattern. */
export interface GraphReading {
  /** The graph; undefined: the pattern is too large. */
  readonly graph: PatternGraph | undefined;
  /** What it has cost: parts built, links made and edges asked for. */
  readonly steps: number;
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
 */
export function makeGraph(pattern: PatternNode): GraphReading {
  const builder = new GraphBuilder();
  const whole = builder.build(trimPattern(pattern));
  for (const { place, mask } of whole.first) {
    builder.connect(START, place, mask);
  }
  for (const { place, mask } of whole.last) builder.connect(place, FITS, mask);
  for (const mask of whole.empty) builder.connect(START, FITS, mask);
  const graph = builder.isTooLarge ? undefined : builder;
  return { graph, steps: builder.steps };
}

class GraphBuilder implements PatternGraph {
  readonly places: CharacterSet[] = [];
  readonly edges: Edge[] = [];
  readonly #known = new Set<number>();
  isTooLarge = false;
  steps = 0;

  build(node: PatternNode): Fragment {
    this.#count(1);
    // What is too large is given up, so its shape does not matter.
    if (this.isTooLarge) return NOTHING;
    switch (node.kind) {
      case "set": {
        const link = { place: this.places.push(node.set) - 1, mask: 0 };
        if (this.places.length > MAX_PLACES) this.isTooLarge = true;
        return { empty: [], first: [link], last: [link] };
      }
      case "assert":
        return { empty: [node.mask], first: [], last: [] };
      case "sequence":
        return this.#buildSequence(node.parts);
      case "choice":
        return this.#buildChoice(node.parts);
      case "repeat":
        return this.#buildRepeat(node.part, node.least, node.most);
    }
  }

  connect(from: number, to: number, mask: number): void {
    this.#count(1);
    if (this.isTooLarge || isImpossible(from, to, mask)) return;
    // Both ends are at most 1,000 and the mask is below 16.
    const key = ((from + 1) * 1024 + to + 1) * 16 + mask;
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.edges.push({ from, to, mask });
    if (this.edges.length > MAX_EDGES) this.isTooLarge = true;
  }

  #count(steps: number): void {
    this.steps += steps;
    if (this.steps > MAX_STEPS) this.isTooLarge = true;
  }

  #buildSequence(parts: readonly PatternNode[]): Fragment {
    let whole = NOTHING;
    for (const part of parts) {
      whole = this.#append(whole, this.build(part));
      if (this.isTooLarge) break;
    }
    return whole;
  }

  #buildChoice(parts: readonly PatternNode[]): Fragment {
    const empty: number[] = [];
    const first: Link[] = [];
    const last: Link[] = [];
    for (const part of parts) {
      const fragment = this.build(part);
      this.#count(fragment.first.length + fragment.last.length);
      if (this.isTooLarge) return NOTHING;
      empty.push(...fragment.empty);
      first.push(...fragment.first);
      last.push(...fragment.last);
    }
    return { empty: leastMasks(empty), first, last };
  }

  #buildRepeat(part: PatternNode, least: number, most: number): Fragment {
    const isEndless = most === Infinity;
    const count = isEndless ? Math.max(least, 1) : most;
    if (count === 0) return NOTHING;
    let final = this.build(part);
    // Without places: the same conditions again and again, or none at all.
    if (final.first.length === 0) return least === 0 ? NOTHING : final;
    const copies = [final];
    while (copies.length < count && !this.isTooLarge) {
      final = this.build(part);
      copies.push(final);
    }
    if (isEndless) this.#link(final.last, final.first);
    const isConditional = final.empty.some((mask) => mask !== 0);
    if (!isConditional) {
      return this.#chain(copies, final.empty.length > 0 ? 0 : least);
    }
    let whole = NOTHING;
    for (const [i, copy] of copies.entries()) {
      whole = this.#append(whole, i < least ? copy : { ...copy, empty: [0] });
      if (this.isTooLarge) break;
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
    const last = copies.slice(Math.max(least - 1, 0))
      .flatMap(({ last }) => last);
    this.#count(last.length);
    return { empty: least === 0 ? [0] : [], first: copies[0]!.first, last };
  }

  #append(before: Fragment, after: Fragment): Fragment {
    this.#link(before.last, after.first);
    const first = this.#join(before.first, after.first, before.empty);
    const last = this.#join(after.last, before.last, after.empty);
    if (this.isTooLarge) return NOTHING;
    const empty = leastMasks(cross(before.empty, after.empty));
    return { empty, first, last };
  }

  /** Links, and those that lie behind a part that may be the empty text. */
  #join(
    outer: readonly Link[],
    inner: readonly Link[],
    masks: readonly number[],
  ): readonly Link[] {
    if (inner.length === 0 || masks.length === 0) return outer;
    this.#count(outer.length + inner.length * masks.length);
    return this.isTooLarge ? outer : [...outer, ...widen(inner, masks)];
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

/**
 * The links as they are when a part beside them is the empty text. Of one
 * place only those with the least conditions are left: without that every
 * repetition would multiply them.
 */
function widen(
  links: readonly Link[],
  masks: readonly number[],
): readonly Link[] {
  if (masks.length === 1 && masks[0] === 0) return links;
  const masksOf = new Map<number, number[]>();
  for (const { place, mask } of links) {
    const known = masksOf.get(place) ?? [];
    masksOf.set(place, known);
    for (const other of masks) known.push(mask | other);
  }
  return [...masksOf].flatMap(([place, known]) =>
    leastMasks(known).map((mask) => ({ place, mask }))
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
