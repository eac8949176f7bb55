/**
 * When servers are probed: each once soon after the start, then at its
 * interval, sooner while something is wrong with it; never all at the same
 * moment, and only a few at once.
 *
 * @module
 */

import type { Prober, ProbeResult } from "./prober.ts";
import type { Timing } from "./timing.ts";
import type { WatchedOutbound } from "./watched_outbound.ts";

/** How many probes run at once unless an option says something else. */
const AT_ONCE = 8;
/** Milliseconds within which the first probes begin. */
const FIRST_WITHIN = 1000;
/** The part of a delay by which chance makes it longer at most. */
const JITTER = 0.1;
/**
 * Milliseconds to which the delay of the one timer is rounded up: the timers
 * of the loop are made for few different delays.
 */
const STEP = 50;

/** What a {@linkcode ProbeSchedule} runs on. */
export interface ProbeScheduleOptions {
  /** Time and timers. */
  readonly timing: Timing;
  /** Sends the probes. */
  readonly prober: Prober;
  /** Gives numbers from 0 to below 1. */
  readonly random: () => number;
  /** How many probes run at once. Default: 8. */
  readonly atOnce?: number | undefined;
}

/** How one server is probed. */
export interface ProbePlan {
  /** What is asked for. */
  readonly url: string;
  /** Milliseconds between two probes, above 0. */
  readonly interval: number;
}

interface Entry {
  readonly outbound: WatchedOutbound;
  readonly plan: ProbePlan;
  /** When it is to be probed, in milliseconds of the clock; Infinity: it is. */
  due: number;
  /** Ends the probe under way. */
  cancel: (() => void) | undefined;
  /** Whether a probe is under way. */
  isRunning: boolean;
}

/** Probes servers from `start` to `stop`. */
export class ProbeSchedule {
  readonly #options: ProbeScheduleOptions;
  readonly #entries: readonly Entry[];
  #timer: { cancel(): void } | undefined;
  #running = 0;
  #started = false;
  #isPumping = false;

  /**
   * Makes a schedule that does nothing yet.
   *
   * @param plans What is probed, and how.
   * @param options What it runs on.
   */
  constructor(
    plans: ReadonlyMap<WatchedOutbound, ProbePlan>,
    options: ProbeScheduleOptions,
  ) {
    this.#options = options;
    this.#entries = [...plans].map(([outbound, plan]) => ({
      outbound,
      plan,
      due: Infinity,
      cancel: undefined,
      isRunning: false,
    }));
  }

  /** Begins to probe. Idempotent. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    const now = this.#now();
    for (const entry of this.#entries) {
      const { outbound: { health }, plan: { interval } } = entry;
      health.setProbing(interval);
      health.onDown = () => this.#onDown(entry);
      entry.due = now +
        this.#options.random() * Math.min(FIRST_WITHIN, interval);
    }
    this.#pump();
  }

  /** Ends the probes under way, and begins no more. Idempotent. */
  stop(): void {
    this.#started = false;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#running = 0;
    for (const entry of this.#entries) {
      entry.cancel?.();
      entry.cancel = undefined;
      entry.isRunning = false;
      entry.outbound.health.onDown = undefined;
      entry.outbound.health.setProbing(0);
    }
  }

  #now(): number {
    return this.#options.timing.time() * 1000;
  }

  /** A server was left: its next probe comes with its back-off. */
  #onDown(entry: Entry): void {
    // The result of a probe under way sets the time of the next.
    if (entry.isRunning) return;
    this.#plan(entry);
    this.#pump();
  }

  #plan(entry: Entry): void {
    const jitter = 1 + JITTER * this.#options.random();
    entry.due = this.#now() + entry.outbound.health.nextProbeIn * jitter;
  }

  /** Begins what is due, and waits for the rest. */
  #pump(): void {
    if (this.#isPumping || !this.#started) return;
    this.#isPumping = true;
    const limit = this.#options.atOnce ?? AT_ONCE;
    const now = this.#now();
    let next = this.#earliest();
    while (next !== undefined && next.due <= now && this.#running < limit) {
      this.#probe(next);
      next = this.#earliest();
    }
    this.#isPumping = false;
    this.#timer?.cancel();
    this.#timer = undefined;
    // With as many under way as may be, the end of one begins the next.
    if (next === undefined || this.#running >= limit) return;
    const delay = Math.ceil(Math.max(1, next.due - now) / STEP) * STEP;
    this.#timer = this.#options.timing.addTimer(delay, () => this.#pump());
  }

  #earliest(): Entry | undefined {
    let earliest: Entry | undefined;
    for (const entry of this.#entries) {
      if (entry.isRunning) continue;
      if (earliest === undefined || entry.due < earliest.due) earliest = entry;
    }
    return earliest;
  }

  #probe(entry: Entry): void {
    this.#running++;
    entry.isRunning = true;
    entry.due = Infinity;
    const done = (result: ProbeResult): void => {
      if (!entry.isRunning) return;
      entry.outbound.health.probed(result);
      entry.isRunning = false;
      entry.cancel = undefined;
      this.#running--;
      this.#plan(entry);
      this.#pump();
    };
    const cancel = this.#options.prober.probe(entry.outbound, entry.plan, done);
    if (entry.isRunning) entry.cancel = cancel;
  }
}
