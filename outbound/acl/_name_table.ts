/**
 * Many host names in one hash table of typed arrays. A host is hashed from its
 * last character to its first, so the hashes of all its parents come up on the
 * way: one pass finds the rule of the host or of any domain above it, without
 * allocation.
 *
 * @module
 */

/** The rule holds for the name itself. */
export const NAME_ITSELF = 1;
/** The rule holds for the names below it. */
export const NAME_BELOW = 2;

const DOT = 0x2e;
/** Longer names are no host names (RFC 1035, 2.3.4: 255 bytes on the wire). */
const MAX_NAME_LENGTH = 253;
/** Slots at the start: a power of two, as all later sizes. */
const FIRST_SLOTS = 64;
const FIRST_POOL = 1024;
/** Slots for each name, at least: long runs of full slots are slow. */
const SLOTS_PER_NAME = 2;

/** A set of host names that grows, and never forgets one. */
export class NameTable {
  /** 1 + the number of a name; 0: the slot is free. */
  #slots = new Int32Array(FIRST_SLOTS);
  #hashes = new Int32Array(FIRST_SLOTS / SLOTS_PER_NAME);
  #offsets = new Uint32Array(FIRST_SLOTS / SLOTS_PER_NAME);
  #lengths = new Uint8Array(FIRST_SLOTS / SLOTS_PER_NAME);
  #flags = new Uint8Array(FIRST_SLOTS / SLOTS_PER_NAME);
  /** The characters of all names, one behind the other. */
  #pool = new Uint8Array(FIRST_POOL);
  #poolLength = 0;
  #size = 0;

  /** How many names it has. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds a name, or adds to what is known of it.
   *
   * @param name ASCII in lower case, 1 to 253 characters.
   * @param flags {@linkcode NAME_ITSELF}, {@linkcode NAME_BELOW} or both.
   */
  add(name: string, flags: number): void {
    if (name.length > MAX_NAME_LENGTH) return;
    const hash = hashOf(name);
    const known = this.#probe(name, 0, hash);
    if (known >= 0) {
      this.#flags[known]! |= flags;
      return;
    }
    this.#makeRoom(name.length);
    const index = this.#size++;
    this.#hashes[index] = hash;
    this.#offsets[index] = this.#poolLength;
    this.#lengths[index] = name.length;
    this.#flags[index] = flags;
    for (let i = 0; i < name.length; i++) {
      this.#pool[this.#poolLength++] = name.charCodeAt(i);
    }
    this.#place(index);
  }

  /**
   * Finds the rule for a host; that of the highest domain if there are more.
   *
   * @param host ASCII in lower case, without a final dot.
   * @returns `|name` of a rule for the name itself, `||name` for the name and
   * those below it, `\.name$` for those below it only; undefined: no rule.
   */
  find(host: string): string | undefined {
    if (this.#size === 0) return undefined;
    let hash = 0;
    for (let i = host.length - 1; i >= 0; i--) {
      const code = host.charCodeAt(i);
      if (code === DOT) {
        const found = this.#probe(host, i + 1, hash);
        if (found >= 0 && (this.#flags[found]! & NAME_BELOW) !== 0) {
          return this.#textOf(found, host.slice(i + 1));
        }
      }
      hash = step(hash, code);
    }
    const found = this.#probe(host, 0, hash);
    if (found < 0 || (this.#flags[found]! & NAME_ITSELF) === 0) {
      return undefined;
    }
    return this.#textOf(found, host);
  }

  /** Gives back what was reserved for growth. */
  trim(): void {
    this.#pool = this.#pool.slice(0, this.#poolLength);
    this.#resizeRows(this.#size);
  }

  #textOf(index: number, name: string): string {
    const flags = this.#flags[index]!;
    if (flags === NAME_ITSELF) return `|${name}`;
    if (flags === NAME_BELOW) return `\\.${name.replaceAll(".", "\\.")}$`;
    return `||${name}`;
  }

  /** The number of the name that stands in `text` from `start`; -1: none. */
  #probe(text: string, start: number, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = spread(hash) & mask;; slot = (slot + 1) & mask) {
      const index = slots[slot]! - 1;
      if (index < 0) return -1;
      if (this.#hashes[index] === hash && this.#equals(index, text, start)) {
        return index;
      }
    }
  }

  #equals(index: number, text: string, start: number): boolean {
    const length = this.#lengths[index]!;
    if (text.length - start !== length) return false;
    const offset = this.#offsets[index]!;
    for (let i = 0; i < length; i++) {
      if (this.#pool[offset + i] !== text.charCodeAt(start + i)) return false;
    }
    return true;
  }

  #place(index: number): void {
    const mask = this.#slots.length - 1;
    let slot = spread(this.#hashes[index]!) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = index + 1;
  }

  #makeRoom(characters: number): void {
    if (this.#size >= this.#lengths.length) {
      this.#resizeRows(Math.max(this.#size * 2, FIRST_SLOTS / SLOTS_PER_NAME));
    }
    if (this.#size * SLOTS_PER_NAME >= this.#slots.length) {
      this.#slots = new Int32Array(this.#slots.length * 2);
      for (let index = 0; index < this.#size; index++) this.#place(index);
    }
    if (this.#poolLength + characters > this.#pool.length) {
      const pool = new Uint8Array((this.#poolLength + characters) * 2);
      pool.set(this.#pool.subarray(0, this.#poolLength));
      this.#pool = pool;
    }
  }

  #resizeRows(rows: number): void {
    const size = this.#size;
    const hashes = new Int32Array(rows);
    hashes.set(this.#hashes.subarray(0, size));
    this.#hashes = hashes;
    const offsets = new Uint32Array(rows);
    offsets.set(this.#offsets.subarray(0, size));
    this.#offsets = offsets;
    const lengths = new Uint8Array(rows);
    lengths.set(this.#lengths.subarray(0, size));
    this.#lengths = lengths;
    const flags = new Uint8Array(rows);
    flags.set(this.#flags.subarray(0, size));
    this.#flags = flags;
  }
}

function hashOf(name: string): number {
  let hash = 0;
  for (let i = name.length - 1; i >= 0; i--) {
    hash = step(hash, name.charCodeAt(i));
  }
  return hash;
}

/** One step of FNV-1a (its 32-bit prime), from 0. */
function step(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193);
}

/** Moves the high bits down, for only the low ones choose the slot. */
function spread(hash: number): number {
  return hash ^ (hash >>> 15) ^ (hash >>> 7);
}
