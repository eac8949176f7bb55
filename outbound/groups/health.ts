/**
 * Whether a server works, and how fast: what its sessions and the probes
 * through it have shown. One object a server, whichever groups it stands in.
 *
 * ```text
 * HEALTHY  -> DOWN     a session or a probe could not connect
 * HEALTHY  -> DOUBTED  probes fail, although (or before) it was connected to
 * DOWN     -> HEALTHY  a probe came back, or a session connected
 * DOUBTED  -> HEALTHY  a probe came back
 * ```
 *
 * A server that was left is asked again after a back-off, by a probe; where
 * there are no probes, by one session, to which it looks healthy. The back-off
 * doubles while the server stays away, and when it leaves again soon after it
 * came back.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Failure } from "../../relay/mod.ts";
import type { ProbeResult } from "./prober.ts";
import type { Timing } from "./timing.ts";
import { DOUBTED, DOWN, HEALTHY } from "./member.ts";

/**
 * Milliseconds of the first back-off: a server that restarts is back after
 * about that long, and one probe a second is no burden for it.
 */
const BACK_OFF_FIRST = 1000;
/**
 * Milliseconds of the longest one where there are no probes: each trial costs
 * one session up to 2.5 s, and a server that is back is used within a minute.
 */
const BACK_OFF_LONGEST = 60_000;
/**
 * Milliseconds of work after which a server has a clean slate: as long as the
 * longest back-off, so that one that comes and goes faster keeps its own.
 */
const STABLE_AFTER = 60_000;
/**
 * How many results the median is made of. Odd, so that the median is one of
 * them; a change shows after five.
 */
const WINDOW = 9;
/**
 * Milliseconds that a window full of failures adds to the latency; as long as
 * a probe may take.
 */
const FAILURE_COST = 5000;
/**
 * Failed probes in a row after which a server that has answered before is
 * doubted: one may be lost by chance.
 */
const FAILURES_TO_DOUBT = 2;

/** One result of a probe, or of a connect where there are no probes. */
export interface Sample {
  /** When it came, in milliseconds of the loop's clock. */
  readonly at: number;
  /** How long it took; undefined: it failed. */
  readonly milliseconds: number | undefined;
}

const logger = getLogger(["shadowsocks", "outbound"]);

/** The health of one server. */
export class Health {
  /** The server's name. */
  readonly name: string;
  readonly #timing: Timing;
  readonly #samples: Sample[] = [];
  #latency: number | undefined;
  /** True once there are results that `#latency` does not know. */
  #isStale = false;
  #unreached = false;
  /** Failed probes in a row. */
  #failures = 0;
  /** Whether a probe has ever come back. */
  #answered = false;
  /** The present back-off in milliseconds; 0: it was never away. */
  #backOff = 0;
  /** When one session may try, in milliseconds of the clock. */
  #retryAt = 0;
  /** Whether that session has begun and not connected yet. */
  #trial = false;
  /** Since when it works, in milliseconds of the clock. */
  #upSince: number;
  /** Whether it had worked for long when it was lost. */
  #wasStable = false;
  /** Milliseconds between two probes; 0: there are none. */
  #probeInterval = 0;
  /** Called when the server goes down, or is doubted. */
  onDown: (() => void) | undefined = undefined;

  /**
   * Begins with a server that is taken to be healthy.
   *
   * @param name The server's name, for log lines.
   * @param timing Tells the time.
   */
  constructor(name: string, timing: Timing) {
    this.name = name;
    this.#timing = timing;
    this.#upSince = this.#now();
  }

  /**
   * What to expect of it now: `HEALTHY`, `DOUBTED` or `DOWN`. A server that is
   * down and may be tried by one session is `HEALTHY`.
   */
  get level(): number {
    if (this.#unreached && !this.#mayTry()) return DOWN;
    return this.#isDoubted ? DOUBTED : HEALTHY;
  }

  /** Whether it is known to work, or nothing is known. */
  get isUp(): boolean {
    return !this.#unreached && !this.#isDoubted;
  }

  /** The last results, oldest first. */
  get samples(): readonly Sample[] {
    return this.#samples;
  }

  /**
   * The median of the last results in milliseconds, and up to 5 s more for
   * failures among them; undefined as long as there are only failures.
   */
  get latency(): number | undefined {
    if (this.#isStale) {
      this.#isStale = false;
      this.#latency = latencyOf(this.#samples);
    }
    return this.#latency;
  }

  /** Whether probes are sent through it. */
  get isProbed(): boolean {
    return this.#probeInterval > 0;
  }

  /** Milliseconds from a result to the next probe. */
  get nextProbeIn(): number {
    if (!this.isUp) return this.#backOff;
    return this.#failures > 0
      ? Math.min(BACK_OFF_FIRST, this.#probeInterval)
      : this.#probeInterval;
  }

  /**
   * Says whether there will be probes.
   *
   * @param interval Milliseconds between two of them; 0: none any more.
   */
  setProbing(interval: number): void {
    this.#probeInterval = interval;
    if (interval === 0) this.#failures = 0;
    this.#backOff = Math.min(this.#backOff, this.#longestBackOff());
  }

  /** A session is sent to it: if it is the one that tries, no other does. */
  claim(): void {
    if (!this.#unreached || !this.#mayTry()) return;
    this.#trial = true;
    this.#retryAt = this.#now() + this.#backOff;
  }

  /**
   * A session connected to it.
   *
   * @param milliseconds From the start of connecting.
   */
  reached(milliseconds: number): void {
    const wasUp = this.isUp;
    this.#unreached = false;
    this.#trial = false;
    // The time of a connect says less than a probe, and is not mixed with it.
    if (!this.isProbed) this.#record(milliseconds);
    this.#tellIfUp(wasUp);
  }

  /**
   * A session could not connect to it.
   *
   * @param failure Why.
   */
  unreached(failure: Failure): void {
    if (this.#unreached) {
      // Sessions that had begun to connect before the server was known to be
      // down say nothing new; only the one that tries whether it is up does.
      if (!this.#trial) return;
      this.#trial = false;
      this.#lengthen();
      return;
    }
    const wasUp = this.isUp;
    this.#record(undefined);
    this.#unreached = true;
    this.#tellIfDown(wasUp, failure.code);
  }

  /**
   * A probe has ended.
   *
   * @param result How.
   */
  probed(result: ProbeResult): void {
    const wasUp = this.isUp;
    if (result.ok) {
      this.#answered = true;
      this.#failures = 0;
      this.#unreached = false;
      // A server that does not flap is judged anew when it is back: with its
      // failures counted, it would be avoided for nine more probes.
      if (!wasUp && this.#wasStable) this.#samples.length = 0;
      this.#record(result.milliseconds);
      this.#tellIfUp(wasUp);
      return;
    }
    this.#failures++;
    this.#record(undefined);
    if (result.reached === false) {
      this.#unreached = true;
    } else if (result.reached === true && this.#unreached) {
      // It listens again, but no answer has come back through it.
      this.#failures = Math.max(this.#failures, FAILURES_TO_DOUBT);
      this.#unreached = false;
    }
    if (wasUp) this.#tellIfDown(wasUp, result.code);
    else this.#lengthen();
  }

  get #isDoubted(): boolean {
    return this.#failures >= (this.#answered ? FAILURES_TO_DOUBT : 1);
  }

  #now(): number {
    return this.#timing.time() * 1000;
  }

  #mayTry(): boolean {
    return !this.isProbed && this.#now() >= this.#retryAt;
  }

  #longestBackOff(): number {
    return this.isProbed ? this.#probeInterval : BACK_OFF_LONGEST;
  }

  #lengthen(): void {
    this.#backOff = Math.min(
      Math.max(BACK_OFF_FIRST, this.#backOff * 2),
      this.#longestBackOff(),
    );
    this.#retryAt = this.#now() + this.#backOff;
  }

  #tellIfDown(wasUp: boolean, reason: string): void {
    if (!wasUp || this.isUp) return;
    this.#wasStable = this.#now() - this.#upSince >= STABLE_AFTER;
    if (this.#wasStable) this.#backOff = 0;
    this.#lengthen();
    logger.info("server {server} is down: {reason}", {
      server: this.name,
      reason,
    });
    this.onDown?.();
  }

  #tellIfUp(wasUp: boolean): void {
    if (wasUp || !this.isUp) return;
    this.#upSince = this.#now();
    logger.info("server {server} is up", { server: this.name });
  }

  #record(milliseconds: number | undefined): void {
    if (this.#samples.length >= WINDOW) this.#samples.shift();
    this.#samples.push({ at: this.#now(), milliseconds });
    this.#isStale = true;
  }
}

/** See {@linkcode Health.latency}. */
function latencyOf(samples: readonly Sample[]): number | undefined {
  const times = samples.map((one) => one.milliseconds)
    .filter((time) => time !== undefined).sort((a, b) => a - b);
  const median = times[times.length >> 1];
  if (median === undefined) return undefined;
  const failed = samples.length - times.length;
  return median + FAILURE_COST * failed / samples.length;
}
