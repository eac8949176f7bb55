/**
 * Runs targets in turn for a time, counts, and keeps what it finds.
 *
 * @module
 */

import { Choices } from "./_choices.ts";
import { shrink } from "./_shrink.ts";
import type { FuzzRun, FuzzTarget } from "./_target.ts";

/** What was found. */
export interface Finding {
  /** The target. */
  readonly target: string;
  /** Gives the input again. */
  readonly seed: number;
  /** The choices of the smallest input that fails alike. */
  readonly choices: readonly number[];
  /** What went wrong. */
  readonly error: unknown;
}

/** What came of one target. */
export interface TargetReport {
  /** The target. */
  readonly name: string;
  /** How many inputs. */
  inputs: number;
  /** Milliseconds in all. */
  time: number;
  /** Milliseconds of the slowest input. */
  slowest: number;
}

/** What came of all. */
export interface FuzzReport {
  /** By target. */
  readonly targets: readonly TargetReport[];
  /** What was found. */
  readonly findings: readonly Finding[];
  /** Bytes of the heap and beside it: early, and at the end. */
  readonly memory: readonly [early: number, late: number] | undefined;
}

/** What is to be fuzzed. */
export interface FuzzOptions {
  /** The targets. */
  readonly targets: readonly FuzzTarget[];
  /** Milliseconds in all; a target has its turn at least once. */
  readonly time: number;
  /** Decides all inputs. */
  readonly seed: number;
  /** Told of each finding at once. */
  readonly onFinding?: (finding: Finding) => void;
  /** Told after each round. */
  readonly onRound?: (targets: readonly TargetReport[]) => void;
}

/** Milliseconds of a turn of one target. */
const TURN = 400;
/** Default of {@linkcode FuzzTarget.most}. */
const MOST = 250;
/** Times that a slow input is tried again: the machine may have been busy. */
const AGAIN = 3;
/** After so many findings a target is left alone. */
const MOST_FINDINGS = 5;
/** What `gc` is called where `--expose-gc` was given. */
const collect = (globalThis as { gc?: () => void }).gc;

/**
 * Makes the seed of one input.
 *
 * @param seed The seed of the run.
 * @param target The target's name.
 * @param index The input's number.
 * @returns 32 bits.
 */
export function seedOf(seed: number, target: string, index: number): number {
  let hash = seed ^ 0x811c9dc5;
  for (const character of `${target}\0${index}`) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  }
  return hash >>> 0;
}

/** Runs targets. */
export class Fuzzer {
  readonly #options: FuzzOptions;
  readonly #findings: Finding[] = [];
  readonly #reports: TargetReport[];
  readonly #rejections: unknown[] = [];

  /**
   * Prepares a run.
   *
   * @param options What to fuzz.
   */
  constructor(options: FuzzOptions) {
    this.#options = options;
    this.#reports = options.targets.map(({ name }) => ({
      name,
      inputs: 0,
      time: 0,
      slowest: 0,
    }));
  }

  /** Fuzzes until the time is over. */
  async run(): Promise<FuzzReport> {
    const onRejection = (event: PromiseRejectionEvent): void => {
      event.preventDefault();
      this.#rejections.push(event.reason);
    };
    globalThis.addEventListener("unhandledrejection", onRejection);
    try {
      const { targets, time, onRound } = this.#options;
      const end = performance.now() + time;
      let early: number | undefined;
      do {
        for (const [i, target] of targets.entries()) {
          await this.#turn(target, this.#reports[i]!);
        }
        onRound?.(this.#reports);
        early ??= await usedMemory();
      } while (performance.now() < end);
      const late = await usedMemory();
      return {
        targets: this.#reports,
        findings: this.#findings,
        memory: early === undefined || late === undefined
          ? undefined
          : [early, late],
      };
    } finally {
      globalThis.removeEventListener("unhandledrejection", onRejection);
    }
  }

  /** Some inputs of one target, which is opened for them. */
  async #turn(target: FuzzTarget, report: TargetReport): Promise<void> {
    const { name } = target;
    if (this.#findingsOf(name) >= MOST_FINDINGS) return;
    const run = await target.open();
    const begun = performance.now();
    let now = begun;
    do {
      const seed = seedOf(this.#options.seed, name, report.inputs);
      const choices = new Choices(seed);
      const before = now;
      try {
        const running = run.run(choices);
        const count = running instanceof Promise ? await running : running;
        report.inputs += count ?? 1;
      } catch (error) {
        report.inputs++;
        await this.#found(target, { seed, choices: choices.taken, error });
        break;
      }
      now = performance.now();
      if (now - before > (target.most ?? MOST)) {
        await this.#onSlow(target, run, seed);
        now = performance.now();
        break;
      }
      report.slowest = Math.max(report.slowest, now - before);
    } while (now - begun < TURN);
    await run.close?.();
    report.time += performance.now() - begun;
    const rejected = this.#rejections.splice(0);
    if (rejected.length > 0) {
      const seed = seedOf(this.#options.seed, name, report.inputs - 1);
      const error = new Error("A rejection was not handled", {
        cause: rejected[0],
      });
      this.#add({ target: name, seed, choices: [], error });
    }
  }

  async #onSlow(
    target: FuzzTarget,
    run: FuzzRun,
    seed: number,
  ): Promise<void> {
    const most = target.most ?? MOST;
    let best = Infinity;
    for (let i = 0; i < AGAIN; i++) {
      const before = performance.now();
      await run.run(new Choices(seed));
      best = Math.min(best, performance.now() - before);
    }
    if (best <= most) return;
    const error = new Error(`It takes ${best.toFixed()} ms, not ${most}`);
    this.#add({ target: target.name, seed, choices: [], error });
  }

  async #found(
    target: FuzzTarget,
    { seed, choices, error }: Omit<Finding, "target">,
  ): Promise<void> {
    const kind = kindOf(error);
    const smaller = await shrink(choices, async (candidate) => {
      const run = await target.open();
      try {
        await run.run(new Choices(candidate));
        return false;
      } catch (other) {
        return kindOf(other) === kind;
      } finally {
        await run.close?.();
      }
    }, target.most === undefined ? undefined : 40);
    this.#add({ target: target.name, seed, choices: smaller, error });
  }

  #add(finding: Finding): void {
    this.#findings.push(finding);
    this.#options.onFinding?.(finding);
  }

  #findingsOf(name: string): number {
    return this.#findings.filter(({ target }) => target === name).length;
  }
}

/** What makes two failures alike: class, and text without numbers. */
function kindOf(error: unknown): string {
  return `${error}`.replaceAll(/\d+/g, "#").slice(0, 200);
}

/** Bytes in use after a collection; undefined: it cannot be asked for. */
async function usedMemory(): Promise<number | undefined> {
  if (collect === undefined) return undefined;
  // What has a finalizer is freed by the second collection.
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}
