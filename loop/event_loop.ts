/**
 * The event loop of the original: handlers, readiness,
 * periodic callbacks.
 *
 * One turn: run what is due (timers, periodic callbacks, then what waits for
 * quiet), collect one batch of events, call their handlers. Everything due is
 * collected before any of it runs, so that a callback which adds another
 * cannot hold the turn.
 * An error thrown by a handler or a callback is logged and the loop goes on;
 * only a broken poller ends it.
 *
 * How it waits: while traffic flows it blocks the thread in the poller for a
 * few milliseconds at most, which is cheaper than any promise, and gives
 * Deno's own loop (signals, Workers) a turn in between; once nothing happens
 * it goes to the poller's asynchronous wait.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { type Clock, MONOTONIC_CLOCK } from "./clock.ts";
import { type EventHandler, POLL_ALWAYS, TIMEOUT_PRECISION } from "./events.ts";
import { FdTable } from "./fd_table.ts";
import type { Poller } from "./poller.ts";
import type { Socket } from "./socket.ts";
import { type Timer, TimerQueue } from "./timers.ts";

/** Options of {@linkcode EventLoop}. */
export interface EventLoopOptions {
  /** Where time comes from. Default: the monotonic clock of the system. */
  readonly clock?: Clock;
  /**
   * Never block the thread, which other work shares (a demo, a test).
   * Default: false.
   */
  readonly cooperative?: boolean;
}

interface Registration {
  readonly socket: Socket;
  mode: number;
  readonly handler: EventHandler;
  /**
   * The batch during which the socket was added. Events of that batch belong
   * to a closed socket that had the same descriptor.
   */
  readonly batch: number;
}

/**
 * Longest wait in milliseconds when no timer is set: the next periodic
 * callback is due by then in any case.
 */
const MAX_WAIT = TIMEOUT_PRECISION * 1000;
/**
 * Longest time in milliseconds that one wait may block the thread. Deno's own
 * loop stands still meanwhile, and signals wait as long.
 */
const BLOCK_SLICE = 4;
/**
 * Milliseconds without an event after which the loop waits asynchronously.
 * Such a wait takes another thread, 18 to 50 µs (see `_deno_turn.ts`): dear
 * between the messages of a busy connection, nothing once traffic has stopped.
 */
const IDLE_AFTER = 20;
/**
 * Milliseconds of work after which Deno's own loop gets a turn: it takes 5 µs,
 * and a signal waits for it (at most 36 ms under load, docs/performance.md).
 */
const TURN_EVERY = 20;
/**
 * The same interval where other work shares the thread: that work goes on
 * during the turns only.
 */
const TURN_EVERY_COOPERATIVE = 2;
/**
 * Milliseconds without an event after which the loop is quiet: long enough
 * that a pause within a busy time does not count as one.
 */
const QUIET_AFTER = 1000;

const logger = getLogger(["shadowsocks", "loop"]);

/** The loop over one poller. */
export class EventLoop {
  /** Makes the sockets of this loop. */
  readonly poller: Poller;
  readonly #clock: Clock;
  readonly #registrations = new FdTable<Registration>();
  readonly #periodic = new Set<() => void>();
  readonly #onQuiet = new Set<() => void>();
  readonly #timers: TimerQueue;
  #lastPeriodic: number;
  /**
   * When the loop becomes quiet, in milliseconds of the clock; Infinity: it is
   * quiet already, or no callback waits for that.
   */
  #quietAt = Infinity;
  readonly #blocking: boolean;
  readonly #turnEvery: number;
  /** Counts batches; odd while one is being dispatched. */
  #batch = 0;
  /** When the batch under way began, in milliseconds. */
  #batchTime: number | undefined;
  #stopping = false;
  #running = false;
  #waiting = false;
  #turnWanted = false;

  /**
   * Makes a loop that does not run yet.
   *
   * @param poller Makes the sockets; disposed of by its maker, not the loop.
   */
  constructor(poller: Poller, options: EventLoopOptions = {}) {
    this.poller = poller;
    this.#clock = options.clock ?? MONOTONIC_CLOCK;
    this.#blocking = poller.blocking && !options.cooperative;
    this.#turnEvery = this.#blocking ? TURN_EVERY : TURN_EVERY_COOPERATIVE;
    this.#timers = new TimerQueue(this.#clock);
    this.#lastPeriodic = this.#clock.now();
  }

  /**
   * Seconds of the loop's monotonic clock; while a batch is dispatched, those
   * of its beginning.
   */
  time(): number {
    return (this.#batchTime ?? this.#clock.now()) / 1000;
  }

  /** How many sockets are watched. */
  get size(): number {
    return this.#registrations.size;
  }

  /**
   * Watches a socket.
   *
   * @param socket Made by this loop's poller.
   * @param mode A mask of POLL_IN and POLL_OUT; errors are always reported.
   * @param handler Called with each event.
   */
  add(socket: Socket, mode: number, handler: EventHandler): void {
    this.poller.register(socket, mode);
    this.#registrations.set(socket.fd, {
      socket,
      mode,
      handler,
      batch: this.#batch,
    });
  }

  /**
   * Replaces the mask of a watched socket; one not watched is left alone.
   *
   * @param socket A socket given to `add`.
   * @param mode The new mask.
   * @returns Whether the socket is watched.
   */
  modify(socket: Socket, mode: number): boolean {
    const registration = this.#registrations.get(socket.fd);
    if (registration?.socket !== socket) return false;
    if (registration.mode !== mode) {
      registration.mode = mode;
      this.poller.modify(socket, mode);
    }
    return true;
  }

  /**
   * Watches a socket no longer: no event of it is delivered from now on, not
   * even one of the batch under way. A socket not watched is left alone.
   *
   * @param socket A socket given to `add`.
   */
  remove(socket: Socket): void {
    if (this.#registrations.get(socket.fd)?.socket !== socket) return;
    this.#registrations.delete(socket.fd);
    this.poller.unregister(socket);
  }

  /**
   * Calls `callback` every {@linkcode TIMEOUT_PRECISION} seconds.
   *
   * @param callback Added once, however often it is given.
   */
  addPeriodic(callback: () => void): void {
    this.#periodic.add(callback);
  }

  /**
   * Ends what `addPeriodic` began.
   *
   * @param callback The same function.
   */
  removePeriodic(callback: () => void): void {
    this.#periodic.delete(callback);
  }

  /**
   * Calls `callback` whenever nothing has happened for
   * a second, and not again before something has.
   *
   * @param callback Added once, however often it is given.
   */
  addQuiet(callback: () => void): void {
    this.#onQuiet.add(callback);
    this.#quietAt = this.#clock.now() + QUIET_AFTER;
  }

  /**
   * Calls `callback` once.
   *
   * @param milliseconds From now; rounded up to the loop's turns.
   * @param callback Called unless the timer is cancelled before.
   * @returns The timer, to cancel it.
   */
  addTimer(milliseconds: number, callback: () => void): Timer {
    if (this.#waiting) this.poller.wake();
    return this.#timers.add(milliseconds, callback);
  }

  /**
   * Has Deno's own loop run before this one waits again, so that what a
   * handler left to a promise is done at once.
   */
  giveTurn(): void {
    this.#turnWanted = true;
  }

  /**
   * Runs until {@linkcode EventLoop.stop}.
   *
   * @returns Settles when the loop has stopped.
   * @throws {Error} If the loop already runs, or the poller is broken.
   */
  async run(): Promise<void> {
    if (this.#running) throw new Error("Cannot run event loop: it runs");
    this.#running = true;
    this.#stopping = false;
    // Nothing has happened yet: whoever starts the loop goes on first.
    let now = this.#clock.now();
    let lastTurn = now;
    let lastEvent = now - IDLE_AFTER;
    try {
      while (!this.#stopping) {
        const idle = !this.#blocking || now - lastEvent >= IDLE_AFTER;
        const timeout = this.#timeout(now);
        let count = 0;
        if (this.#turnWanted || now - lastTurn >= this.#turnEvery) {
          this.#turnWanted = false;
          await this.poller.turn();
          count = this.poller.poll(0);
          lastTurn = now = this.#clock.now();
        } else {
          count = this.poller.poll(idle ? 0 : Math.min(timeout, BLOCK_SLICE));
          if (idle && count === 0) {
            count = await this.#wait(timeout);
            lastTurn = now = this.#clock.now();
          } else {
            now = this.#clock.now();
          }
        }
        if (count > 0) {
          lastEvent = this.#batchTime = now;
          if (this.#onQuiet.size > 0) this.#quietAt = now + QUIET_AFTER;
          this.#dispatch(count);
          this.#batchTime = undefined;
          now = this.#clock.now();
        }
        this.#runDue(now);
      }
    } finally {
      this.#running = false;
    }
  }

  /** Ends `run` after the batch under way. */
  stop(): void {
    this.#stopping = true;
    this.poller.wake();
  }

  /** Runs all callbacks that are due; part of a turn. */
  runDue(): void {
    this.#runDue(this.#clock.now());
  }

  #runDue(now: number): void {
    this.#timers.run(guard, now);
    if (now - this.#lastPeriodic >= TIMEOUT_PRECISION * 1000) {
      this.#lastPeriodic = now;
      for (const callback of [...this.#periodic]) {
        if (this.#periodic.has(callback)) guard(callback);
      }
    }
    if (now >= this.#quietAt) {
      this.#quietAt = Infinity;
      for (const callback of this.#onQuiet) guard(callback);
    }
  }

  async #wait(timeout: number): Promise<number> {
    this.#waiting = true;
    try {
      return await this.poller.wait(timeout);
    } finally {
      this.#waiting = false;
    }
  }

  #dispatch(count: number): void {
    const { readyFds, readyEvents } = this.poller;
    const batch = ++this.#batch;
    for (let i = 0; i < count; i++) {
      const fd = readyFds[i]!;
      const registration = this.#registrations.get(fd);
      // An earlier handler of this batch may have removed the socket, and a
      // new one may have got its number: neither gets the old event.
      if (registration === undefined || registration.batch === batch) continue;
      const event = readyEvents[i]! & (registration.mode | POLL_ALWAYS);
      if (event === 0) continue;
      try {
        registration.handler.handleEvent(registration.socket, fd, event);
      } catch (error) {
        report(error);
      }
    }
    this.#batch++;
  }

  /** Milliseconds until something is due, rounded up. */
  #timeout(now: number): number {
    if (this.#stopping) return 0;
    const periodic = this.#lastPeriodic + TIMEOUT_PRECISION * 1000;
    const due = Math.min(periodic, this.#timers.next, this.#quietAt) - now;
    return Math.min(MAX_WAIT, Math.max(0, Math.ceil(due)));
  }
}

function guard(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    report(error);
  }
}

function report(error: unknown): void {
  logger.error("Unexpected error in a handler: {error}", { error });
}
