/**
 * One-shot timers for very many holders and few different delays: a queue for
 * each delay, in which the first added is the first due. Adding and cancelling
 * are O(1) and leave nothing behind; finding the next one is O(number of
 * different delays).
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import { LinkedList, ListItem } from "./linked_list.ts";

/**
 * Up to this many queues are kept while they are empty. A process uses few
 * different delays; delays that vary must not grow the table for ever.
 */
const KEPT_QUEUES = 16;

/** A timer that is set; made by the loop. */
export class Timer extends ListItem<Timer> implements Disposable {
  /** When it is due, in milliseconds of the clock. */
  readonly due: number;
  readonly #callback: () => void;
  readonly #queue: LinkedList<Timer>;

  /**
   * Sets the timer.
   *
   * @param due When it is due, in milliseconds of the clock.
   * @param callback What to call then.
   * @param queue Where it stands while it is set.
   */
  constructor(due: number, callback: () => void, queue: LinkedList<Timer>) {
    super();
    this.due = due;
    this.#callback = callback;
    this.#queue = queue;
    queue.push(this);
  }

  /** Whether it is still to be called. */
  get active(): boolean {
    return this.listed;
  }

  /** Cancels it. Idempotent. */
  cancel(): void {
    this.#queue.remove(this);
  }

  /** Cancels it. */
  [Symbol.dispose](): void {
    this.cancel();
  }

  /** Calls back, once, unless it was cancelled. */
  fire(): void {
    if (!this.listed) return;
    this.cancel();
    this.#callback();
  }
}

/** The timers of a loop. */
export class TimerQueue {
  readonly #clock: Clock;
  readonly #queues = new Map<number, LinkedList<Timer>>();

  /**
   * Makes an empty queue.
   *
   * @param clock Where time comes from.
   */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Sets a timer.
   *
   * @param milliseconds The delay, rounded up to whole milliseconds.
   * @param callback What to call.
   * @returns The timer.
   */
  add(milliseconds: number, callback: () => void): Timer {
    const delay = Math.max(0, Math.ceil(milliseconds));
    let queue = this.#queues.get(delay);
    if (queue === undefined) this.#queues.set(delay, queue = new LinkedList());
    return new Timer(this.#clock.now() + delay, callback, queue);
  }

  /** When the next timer is due, in milliseconds of the clock; or Infinity. */
  get next(): number {
    let next = Infinity;
    for (const [delay, { first }] of this.#queues) {
      if (first !== undefined) next = Math.min(next, first.due);
      else if (this.#queues.size > KEPT_QUEUES) this.#queues.delete(delay);
    }
    return next;
  }

  /**
   * Calls every timer that is due, the earliest first. What is due is
   * collected before any of it is called.
   *
   * @param guard Calls a callback and keeps its errors from the others.
   * @param now The clock's reading, if it is known.
   */
  run(
    guard: (callback: () => void) => void,
    now: number = this.#clock.now(),
  ): void {
    const due: Timer[] = [];
    for (const { first } of this.#queues.values()) {
      let timer = first;
      while (timer !== undefined && timer.due <= now) {
        due.push(timer);
        timer = timer.next;
      }
    }
    if (due.length === 0) return;
    due.sort((a, b) => a.due - b.due);
    for (const timer of due) guard(() => timer.fire());
  }
}
