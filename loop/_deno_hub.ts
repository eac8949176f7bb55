/**
 * Readiness out of completions. A socket whose state has changed stands in
 * the queue; collecting asks each one in it what holds now, reports that, and
 * leaves it in the queue as long as something is to be reported: so events
 * are level-triggered. Collecting also starts the reads that are wanted, after
 * the handlers had their say: one that lost interest costs no buffer.
 *
 * @module
 */

import { Buffers } from "./_deno_buffers.ts";
import { DenoTurns } from "./_deno_turn.ts";
import type { DescriptorBudget } from "./descriptors.ts";
import {
  type DenoSocket,
  type SocketHub,
  UNREGISTERED,
} from "./_deno_socket.ts";
import { POLL_ALWAYS, POLL_IN } from "./events.ts";

/**
 * Most events in one batch; the others come first in the next one. A batch of
 * 1024 takes some milliseconds, after which timers are looked at again.
 */
export const BATCH_SIZE = 1024;
/**
 * Longest time in milliseconds without a turn of Deno's own loop. Operations
 * that end at once settle as microtasks, without a turn: a few bulk transfers
 * kept every other socket waiting for a quarter of a second.
 */
const TURN_EVERY = 10;
/**
 * A sleep of this many milliseconds was surely a turn of Deno's own loop:
 * microtasks alone never take so long here.
 */
const SURE_TURN = 5;
/**
 * Milliseconds that a closed socket may take to send its last bytes: what the
 * kernel gives a closed connection to end (tcp_fin_timeout of tcp(7)).
 */
const LINGER = 60_000;

/** The sockets of a poller and the queue of those to look at. */
export class DenoHub implements SocketHub, Disposable {
  /** Lends memory to reads and writes under way. */
  readonly buffers: Buffers = new Buffers();
  /** The descriptors that sockets may have. */
  readonly budget: DescriptorBudget;
  /** Descriptors of the last batch. */
  readonly fds: Int32Array = new Int32Array(BATCH_SIZE);
  /** Masks of the last batch. */
  readonly events: Int32Array = new Int32Array(BATCH_SIZE);
  readonly #turns = new DenoTurns();
  readonly #open = new Set<DenoSocket>();
  readonly #lingering = new Map<DenoSocket, number>();
  #queue: DenoSocket[] = [];
  #spare: DenoSocket[] = [];
  #lastFd = 0;
  #lastTurn = 0;
  #woken = false;
  /** Whether a state has changed since the last batch. */
  #progress = false;
  #resolve: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerDue = Infinity;

  /**
   * Makes a hub without sockets.
   *
   * @param budget The descriptors that they may have.
   */
  constructor(budget: DescriptorBudget) {
    this.budget = budget;
  }

  /** Gives the next descriptor. */
  nextFd(): number {
    return ++this.#lastFd;
  }

  /** Takes a new socket in. */
  opened(socket: DenoSocket): void {
    this.#open.add(socket);
    this.budget.open++;
  }

  /** Whether the socket was made by this hub and is open. */
  owns(socket: DenoSocket): boolean {
    return this.#open.has(socket);
  }

  /** Has the socket looked at before the next batch. */
  changed(socket: DenoSocket): void {
    this.#progress = true;
    if (socket.queued || socket.mode === UNREGISTERED) return;
    socket.queued = true;
    this.#queue.push(socket);
    this.#notify();
  }

  /** Reports nothing of the socket from now on. */
  closed(socket: DenoSocket): void {
    socket.mode = UNREGISTERED;
    if (this.#open.delete(socket)) this.budget.open--;
  }

  /** Holds a closed socket whose last bytes are under way. */
  linger(socket: DenoSocket): void {
    this.#lingering.set(socket, performance.now());
    this.budget.open++;
  }

  /** Ends what `linger` began. */
  lingered(socket: DenoSocket): void {
    if (this.#lingering.delete(socket)) this.budget.open--;
  }

  /** Fills the batch from the queue; returns how many events it holds. */
  #collect(): number {
    this.#progress = false;
    const queue = this.#queue;
    const next = this.#spare;
    let count = 0;
    let looked = 0;
    while (looked < queue.length && count < BATCH_SIZE) {
      const socket = queue[looked++]!;
      socket.queued = false;
      if (socket.mode === UNREGISTERED) continue;
      if ((socket.mode & POLL_IN) !== 0) socket.pump();
      const event = socket.readiness() & (socket.mode | POLL_ALWAYS);
      if (event === 0) continue;
      this.fds[count] = socket.fd;
      this.events[count++] = event;
      socket.queued = true;
      next.push(socket);
    }
    if (looked < queue.length) {
      // A full batch: those not looked at go before those just reported.
      this.#queue = queue.slice(looked).concat(next);
      next.length = 0;
    } else {
      this.#queue = next;
      this.#spare = queue;
    }
    queue.length = 0;
    return count;
  }

  /**
   * Collects what is ready now; nothing if the batch would only repeat the
   * last one, for then Deno's own loop needs a turn first.
   */
  poll(): number {
    return this.#progress ? this.#collect() : 0;
  }

  /** Collects, sleeping until something happens or `timeout` ms are over. */
  async wait(timeout: number): Promise<number> {
    const start = performance.now();
    const deadline = start + timeout;
    this.#woken = false;
    if (this.#lingering.size > 0) this.#abandonOld(start);
    let repeats = !this.#progress;
    let count = this.#collect();
    let now = start;
    while (count === 0 && !this.#woken && now < deadline) {
      await this.#sleep(deadline, now);
      const end = performance.now();
      if (end - now >= SURE_TURN) this.#lastTurn = end;
      now = end;
      repeats = false;
      count = this.#collect();
    }
    if (repeats) {
      // A batch that only repeats the last one: sleep for a millisecond.
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
      this.#lastTurn = performance.now();
      count = this.#collect();
    } else if (now - this.#lastTurn >= TURN_EVERY) {
      await this.turn();
      count = this.#collect();
    }
    return count;
  }

  /** Gives Deno's own loop one turn. */
  async turn(): Promise<void> {
    await this.#turns.take();
    this.#lastTurn = performance.now();
  }

  /** Ends a wait under way, and leaves no timer behind. */
  wake(): void {
    this.#woken = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#notify();
  }

  /** Closes every socket at once. */
  [Symbol.dispose](): void {
    for (const socket of [...this.#open]) socket.abandon();
    for (const socket of [...this.#lingering.keys()]) socket.abandon();
    this.#turns[Symbol.dispose]();
    this.wake();
  }

  #notify(): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    resolve?.();
  }

  /** Sleeps until notified, or until the deadline, or less. */
  #sleep(deadline: number, now: number): Promise<void> {
    this.#notify();
    // One timer serves many waits: setting one for each would cost more than
    // all the rest of an empty turn.
    if (this.#timer === undefined || this.#timerDue > deadline) {
      clearTimeout(this.#timer);
      this.#timerDue = deadline;
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#notify();
      }, Math.ceil(deadline - now));
    }
    return new Promise((resolve) => this.#resolve = resolve);
  }

  #abandonOld(now: number): void {
    for (const [socket, since] of this.#lingering) {
      if (now - since < LINGER) break;
      socket.abandon();
    }
  }
}
