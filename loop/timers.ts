/**
 * One-shot timers for very many holders and few different delays: a queue for
 * each delay, in which the first added is the first due. Adding and cancelling
 * are O(1); finding the next one is O(number of different delays).
 *
 * @module
 */

import type { Clock } from "./clock.ts";

/** A timer that is set; made by the loop. */
export class Timer implements Disposable {
  /** When it is due, in milliseconds of the clock. */
  readonly due: number;
  #callback: (() => void) | undefined;

  /**
   * @param due When it is due, in milliseconds of the clock.
   * @param callback What to call then.
   */
  constructor(due: number, callback: () => void) {
    this.due = due;
    this.#callback = callback;
  }

  /** Whether it is still to be called. */
  get active(): boolean {
    return this.#callback !== undefined;
  }

  /** Cancels it, and drops what its callback held. Idempotent. */
  cancel(): void {
    this.#callback = undefined;
  }

  /** Cancels it. */
  [Symbol.dispose](): void {
    this.cancel();
  }

  /** Takes the callback, which makes the timer inactive. */
  take(): (() => void) | undefined {
    const callback = this.#callback;
    this.#callback = undefined;
    return callback;
  }
}

/** Cancelled timers are trimmed past this number and half of a queue. */
const TRIM_SIZE = 512;

interface DelayQueue {
  timers: Timer[];
  /** Index of the first timer that may still be active. */
  head: number;
}

/** The timers of a loop. */
export class TimerQueue {
  readonly #clock: Clock;
  readonly #queues = new Map<number, DelayQueue>();

  /** @param clock Where time comes from. */
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
    if (queue === undefined) {
      queue = { timers: [], head: 0 };
      this.#queues.set(delay, queue);
    }
    const timer = new Timer(this.#clock.now() + delay, callback);
    queue.timers.push(timer);
    return timer;
  }

  /** When the next timer is due, in milliseconds of the clock; or Infinity. */
  get next(): number {
    let next = Infinity;
    for (const [delay, queue] of this.#queues) {
      const first = skipCancelled(queue);
      if (first === undefined) {
        this.#queues.delete(delay);
      } else if (first.due < next) {
        next = first.due;
      }
    }
    return next;
  }

  /**
   * Calls every timer that is due, the earliest first.
   *
   * @param guard Calls a callback and keeps its errors from the others.
   */
  run(guard: (callback: () => void) => void): void {
    const now = this.#clock.now();
    const due: Timer[] = [];
    for (const queue of this.#queues.values()) {
      let first = skipCancelled(queue);
      while (first !== undefined && first.due <= now) {
        due.push(first);
        queue.head++;
        first = skipCancelled(queue);
      }
    }
    if (due.length === 0) return;
    due.sort((a, b) => a.due - b.due);
    for (const timer of due) {
      const callback = timer.take();
      if (callback !== undefined) guard(callback);
    }
  }
}

/** Moves past cancelled timers and gives back their room. */
function skipCancelled(queue: DelayQueue): Timer | undefined {
  const { timers } = queue;
  while (queue.head < timers.length && !timers[queue.head]!.active) {
    queue.head++;
  }
  if (queue.head > TRIM_SIZE && queue.head > timers.length >> 1) {
    timers.splice(0, queue.head);
    queue.head = 0;
  }
  return timers[queue.head];
}
