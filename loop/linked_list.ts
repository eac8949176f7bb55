/**
 * A list whose items know their neighbours, for what comes and goes many
 * thousand times a second. A `Set` that changes so fast makes a new table again
 * and again, and each old table refers to the next one. Once the garbage
 * collector has moved one table to the old generation, all later tables, with
 * everything that was in them, stay until a major collection: a scavenge took
 * 1.3 ms with sets and takes 0.15 with lists (docs/performance.md).
 *
 * @module
 */

/** What can stand in one list at a time; the list keeps its fields. */
export abstract class ListItem<T> {
  /** The item before it. */
  previous: T | undefined = undefined;
  /** The item after it. */
  next: T | undefined = undefined;
  /** Whether it stands in a list. */
  listed = false;
}

/** A doubly linked list. */
export class LinkedList<T extends ListItem<T>> {
  #first: T | undefined;
  #last: T | undefined;

  /** The item pushed first; undefined: there is none. */
  get first(): T | undefined {
    return this.#first;
  }

  /**
   * Puts an item behind all others.
   *
   * @param item One that stands in no list.
   */
  push(item: T): void {
    item.listed = true;
    item.previous = this.#last;
    if (this.#last === undefined) this.#first = item;
    else this.#last.next = item;
    this.#last = item;
  }

  /**
   * Takes an item out; nothing happens if it stands in no list.
   *
   * @param item One of this list, if of any.
   */
  remove(item: T): void {
    if (!item.listed) return;
    const { previous, next } = item;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    item.listed = false;
    item.previous = item.next = undefined;
  }
}
