/**
 * Many patterns that are tried on a host at once, in one pass and without
 * going back: the time is bounded by the length of the host times the number
 * of edges, whatever the patterns and the host are.
 *
 * @module
 */

import { type Edge, FITS, makeGraph, START } from "./_pattern_graph.ts";
import {
  AT_END,
  AT_START,
  AT_WORD,
  type CharacterSet,
  has,
  NOT_AT_WORD,
  type PatternNode,
} from "./_pattern_tree.ts";

/** Characters that are told apart; all others count as the first one, NUL. */
const CHARACTERS = 128;
/**
 * Edges of all patterns of a set: about 10,000 patterns of 20 characters. A
 * host of 255 characters that kept every one of them busy would take 0.1 s.
 */
const MAX_EDGES = 200_000;
/**
 * What the graphs of all patterns of a set may cost, those that were too large
 * included: twenty steps for each edge, where usual patterns take four.
 */
const MAX_STEPS = 20 * MAX_EDGES;
const MAX_GENERATION = 0x7fffffff;

const TOO_MANY = "there are too many expressions in this list";

/** A set of patterns; they are added first, then it is sealed. */
export class PatternSet {
  readonly #texts: string[] = [];
  /** The number of the set of characters at each place. */
  readonly #setOfPlace: number[] = [];
  readonly #sets = new Map<string, number>();
  readonly #members: CharacterSet[] = [];
  readonly #edges: Edge[] = [];
  #matcher: Matcher | undefined;
  #steps = 0;

  /** How many patterns it has. */
  get size(): number {
    return this.#texts.length;
  }

  /**
   * Adds a pattern.
   *
   * @param text How the rule reads, for its name.
   * @param pattern The pattern.
   * @returns Why it cannot be added; undefined: it was.
   */
  add(text: string, pattern: PatternNode): string | undefined {
    if (this.#steps > MAX_STEPS) return TOO_MANY;
    const { graph, steps } = makeGraph(pattern);
    this.#steps += steps;
    if (graph === undefined) return "it is too large";
    if (this.#edges.length + graph.edges.length > MAX_EDGES) return TOO_MANY;
    const first = this.#setOfPlace.length;
    const owner = this.#texts.push(text) - 1;
    for (const set of graph.places) this.#setOfPlace.push(this.#numberOf(set));
    for (const { from, to, mask } of graph.edges) {
      this.#edges.push({
        from: from === START ? START : from + first,
        // A pattern that fits is told by its own negative number.
        to: to === FITS ? FITS - owner : to + first,
        mask,
      });
    }
    return undefined;
  }

  /** Makes it ready: nothing may be added afterwards. */
  seal(): void {
    if (this.#texts.length === 0) return;
    const setOfPlace = Int32Array.from(this.#setOfPlace);
    this.#matcher = new Matcher(this.#edges, setOfPlace, this.#members);
    this.#edges.length = 0;
    this.#setOfPlace.length = 0;
    this.#sets.clear();
  }

  /**
   * Finds a pattern that fits a host; the one that fits first from the left.
   *
   * @param host The host in lower case.
   * @returns The text of its rule; undefined: none fits.
   */
  find(host: string): string | undefined {
    const found = this.#matcher?.find(host) ?? -1;
    return found < 0 ? undefined : this.#texts[found];
  }

  #numberOf(set: CharacterSet): number {
    const key = set.join();
    let number = this.#sets.get(key);
    if (number === undefined) {
      number = this.#members.push(set) - 1;
      this.#sets.set(key, number);
    }
    return number;
  }
}

/** Edges by where they begin, in typed arrays. */
interface EdgeTable {
  /** Where the edges of each row begin, and the end of the last. */
  readonly rows: Int32Array;
  readonly to: Int32Array;
  readonly masks: Uint8Array;
}

class Matcher {
  /** Whether a character (column) is in a set (row). */
  readonly #members: Uint8Array;
  readonly #setOfPlace: Int32Array;
  /** The edges of each place. */
  readonly #edges: EdgeTable;
  /** The edges into a pattern, by the set of characters that take them. */
  readonly #starts: EdgeTable;
  /** The same for edges that only fit at the start of the host. */
  readonly #firstStarts: EdgeTable;
  /** The sets that have rows in one of the two. */
  readonly #startSets: Int32Array;
  /** Edges of patterns that fit without any character. */
  readonly #empty: readonly Edge[];
  /** The places that the last characters have led to. */
  #current: Int32Array;
  #next: Int32Array;
  /** When each place was reached last: each is kept once a character. */
  readonly #reached: Int32Array;
  #generation = 0;

  constructor(
    edges: readonly Edge[],
    setOfPlace: Int32Array,
    sets: readonly CharacterSet[],
  ) {
    const places = setOfPlace.length;
    this.#setOfPlace = setOfPlace;
    this.#members = new Uint8Array(sets.length * CHARACTERS);
    for (const [row, set] of sets.entries()) {
      for (let code = 0; code < CHARACTERS; code++) {
        this.#members[row * CHARACTERS + code] = has(set, code) ? 1 : 0;
      }
    }
    const inner = edges.filter(({ from }) => from !== START);
    this.#edges = tableOf(
      places,
      inner.map((edge) => ({
        row: edge.from,
        edge,
      })),
    );
    const starts = edges.filter(({ from, to }) => from === START && to >= 0);
    const isFirst = ({ mask }: Edge): boolean => (mask & AT_START) !== 0;
    // By set, not by character: 100,000 patterns that begin with a dot would
    // have 128 times as many entries.
    const bySet = (chosen: readonly Edge[]): EdgeTable =>
      tableOf(
        sets.length,
        chosen.map((edge) => ({ row: setOfPlace[edge.to]!, edge })),
      );
    this.#starts = bySet(starts.filter((edge) => !isFirst(edge)));
    this.#firstStarts = bySet(starts.filter(isFirst));
    this.#startSets = Int32Array.from(
      new Set(starts.map(({ to }) => setOfPlace[to]!)),
    );
    this.#empty = edges.filter(({ from, to }) => from === START && to < 0);
    this.#current = new Int32Array(places);
    this.#next = new Int32Array(places);
    this.#reached = new Int32Array(places);
  }

  /** The number of a pattern that fits; -1: none does. */
  find(host: string): number {
    let active = 0;
    let before = -1;
    for (let i = 0; i <= host.length; i++) {
      const code = i < host.length ? asciiAt(host, i) : -1;
      const lacks = ~boundary(i, before, code);
      const found = this.#finish(active, lacks);
      if (found >= 0 || code < 0) return found;
      active = this.#step(active, i, code, lacks);
      before = code;
    }
    return -1;
  }

  /** Looks for a pattern that ends at this boundary. */
  #finish(active: number, lacks: number): number {
    const { rows, to, masks } = this.#edges;
    for (let i = 0; i < active; i++) {
      const place = this.#current[i]!;
      const end = rows[place + 1]!;
      // The edges of a place that end its pattern come first.
      for (let edge = rows[place]!; edge < end; edge++) {
        const target = to[edge]!;
        if (target >= 0) break;
        if ((masks[edge]! & lacks) === 0) return FITS - target;
      }
    }
    for (const edge of this.#empty) {
      if ((edge.mask & lacks) === 0) return FITS - edge.to;
    }
    return -1;
  }

  /** Goes on by one character; returns how many places that leads to. */
  #step(active: number, at: number, code: number, lacks: number): number {
    if (++this.#generation === MAX_GENERATION) {
      this.#reached.fill(0);
      this.#generation = 1;
    }
    const { rows, to, masks } = this.#edges;
    let count = 0;
    for (let i = 0; i < active; i++) {
      const place = this.#current[i]!;
      const end = rows[place + 1]!;
      for (let edge = rows[place]!; edge < end; edge++) {
        const target = to[edge]!;
        if (target < 0 || (masks[edge]! & lacks) !== 0) continue;
        if (this.#takes(target, code)) count = this.#reach(target, count);
      }
    }
    for (let i = 0; i < this.#startSets.length; i++) {
      const set = this.#startSets[i]!;
      if (this.#members[set * CHARACTERS + code] === 0) continue;
      count = this.#begin(this.#starts, set, lacks, count);
      if (at === 0) count = this.#begin(this.#firstStarts, set, lacks, count);
    }
    const done = this.#current;
    this.#current = this.#next;
    this.#next = done;
    return count;
  }

  #begin(table: EdgeTable, set: number, lacks: number, count: number): number {
    const { rows, to, masks } = table;
    let reached = count;
    const end = rows[set + 1]!;
    for (let edge = rows[set]!; edge < end; edge++) {
      if ((masks[edge]! & lacks) !== 0) continue;
      reached = this.#reach(to[edge]!, reached);
    }
    return reached;
  }

  #takes(place: number, code: number): boolean {
    return this.#members[this.#setOfPlace[place]! * CHARACTERS + code] === 1;
  }

  #reach(place: number, count: number): number {
    if (this.#reached[place] === this.#generation) return count;
    this.#reached[place] = this.#generation;
    this.#next[count] = place;
    return count + 1;
  }
}

function tableOf(
  rowCount: number,
  entries: readonly { readonly row: number; readonly edge: Edge }[],
): EdgeTable {
  const rows = new Int32Array(rowCount + 1);
  for (const { row } of entries) rows[row + 1]!++;
  for (let i = 0; i < rowCount; i++) rows[i + 1]! += rows[i]!;
  const to = new Int32Array(entries.length);
  const masks = new Uint8Array(entries.length);
  const free = rows.slice();
  const put = ({ row, edge }: typeof entries[number]): void => {
    const at = free[row]!++;
    to[at] = edge.to;
    masks[at] = edge.mask;
  };
  // Edges that end a pattern come first in their row.
  entries.filter(({ edge }) => edge.to < 0).forEach(put);
  entries.filter(({ edge }) => edge.to >= 0).forEach(put);
  return { rows, to, masks };
}

/** What the boundary between two characters is; -1 stands for none. */
function boundary(at: number, before: number, after: number): number {
  const isWord = isWordCode(before) !== isWordCode(after);
  return (at === 0 ? AT_START : 0) | (after < 0 ? AT_END : 0) |
    (isWord ? AT_WORD : NOT_AT_WORD);
}

function isWordCode(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) ||
    (code >= 0x41 && code <= 0x5a) || code === 0x5f;
}

function asciiAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < CHARACTERS ? code : 0;
}
