/**
 * One-shot timers for very many holders and few different delays: a queue for
 * each delay, in which the first added is the first due. Adding and cancelling
 * are O(1) and leave nothing behind; finding the next one is O(number of
 * different delays).
 *
 * @module
 */

import type { Clock } from "./clock.ts";

/** A timer that is set; made by the loop. */
export class Timer implements Disposable {
  /** When it is due, in milliseconds of the clock. */
  readonly due: number;
  readonly #callback: () => void;
  readonly #queue: Set<Timer>;

  /**
   * Sets the timer.
   *
   * @param due When it is due, in milliseconds of the clock.
   * @param callback What to call then.
   * @param queue Where it stands while it is set.
   */
  constructor(due: number, callback: () => void, queue: Set<Timer>) {
    this.due = due;
    this.#callback = callback;
    this.#queue = queue;
    queue.add(this);
  }

  /** Whether it is still to be called. */
  get active(): boolean {
    return this.#queue.has(this);
  }

  /** Cancels it. Idempotent. */
  cancel(): void {
    this.#queue.delete(this);
  }

  /** Cancels it. */
  [Symbol.dispose](): void {
    this.cancel();
  }

  /** Calls back, once, unless it was cancelled. */
  fire(): void {
    if (this.#queue.delete(this)) this.#callback();
  }
}

/** The timers of a loop. */
export class TimerQueue {
  readonly #clock: Clock;
  readonly #queues = new Map<number, Set<Timer>>();

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
    if (queue === undefined) this.#queues.set(delay, queue = new Set());
    return new Timer(this.#clock.now() + delay, callback, queue);
  }

  /** When the next timer is due, in milliseconds of the clock; or Infinity. */
  get next(): number {
    let next = Infinity;
    for (const [delay, queue] of this.#queues) {
      const first = queue.values().next().value;
      if (first === undefined) this.#queues.delete(delay);
      else next = Math.min(next, first.due);
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
    for (const queue of this.#queues.values()) {
      for (const timer of queue) {
        if (timer.due > now) break;
        due.push(timer);
      }
    }
    if (due.length === 0) return;
    due.sort((a, b) => a.due - b.due);
    for (const timer of due) guard(() => timer.fire());
  }
}
