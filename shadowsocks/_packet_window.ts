/**
 * Which of the packet numbers of a session have come (RFC 6479): a ring of bits
 * for the last ones, so that packets may overtake each other and none counts
 * twice.
 *
 * @module
 */

/** Bits of a word. */
const WORD = 32;
/** Words of the ring, a power of two. */
const WORDS = 64;
/**
 * How far a packet may be behind the newest: all bits but the word that is
 * being filled. The least that the 2022 edition is to have is 1,024.
 */
export const WINDOW: number = (WORDS - 1) * WORD;

/** The numbers of one session. */
export class PacketWindow {
  readonly #bits = new Int32Array(WORDS);
  /** The greatest number; -1: none has come. */
  #last = -1;

  /**
   * Tells whether a packet may be taken.
   *
   * @param id Its number, at most 2⁵³ - 1.
   * @returns False if it came before, or is too old to tell.
   */
  has(id: number): boolean {
    if (id > this.#last) return false;
    if (this.#last - id >= WINDOW) return true;
    return (this.#bits[wordOf(id)]! & bitOf(id)) !== 0;
  }

  /**
   * Notes a packet that is authentic.
   *
   * @param id Its number.
   * @returns False if it came before, or is too old to tell.
   */
  add(id: number): boolean {
    if (this.has(id)) return false;
    if (id > this.#last) this.#advance(id);
    this.#bits[wordOf(id)]! |= bitOf(id);
    return true;
  }

  /** Clears the words between the greatest number and a greater one. */
  #advance(id: number): void {
    const before = Math.floor(this.#last / WORD);
    const words = Math.min(Math.floor(id / WORD) - before, WORDS);
    for (let i = 1; i <= words; i++) {
      this.#bits[(before + i) % WORDS] = 0;
    }
    this.#last = id;
  }
}

function wordOf(id: number): number {
  return Math.floor(id / WORD) % WORDS;
}

function bitOf(id: number): number {
  return 1 << id % WORD;
}
