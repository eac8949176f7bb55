/**
 * What a server does about a probe.
 *
 * @module
 */

import { writeAll } from "../support/mod.ts";
import type { Probe } from "./_probes.ts";

/**
 * What a prober sees: `T` nothing until it gives up, `F` an end, `R` a reset,
 * `D` bytes. Behind a `T` stands what its own end is answered with.
 */
export type Reaction = "R" | "F" | "D" | "TR" | "TF" | "TD" | "TT";

/** One probe and what came of it. */
export interface Outcome {
  /** What it belongs to. */
  readonly family: string;
  /** What was seen. */
  readonly reaction: Reaction;
  /** Milliseconds from the last byte, or from the own end, to that. */
  readonly time: number;
}

/** Whom and how to probe. */
export interface ProbeTarget {
  /** Where the server listens. */
  readonly hostname: string;
  /** Its port. */
  readonly port: number;
  /** Milliseconds until a prober gives up. */
  readonly wait: number;
}

/** How many probes are under way at once. */
const AT_ONCE = 64;
/** Milliseconds within which a server answers an end. */
const PATIENCE = 2000;

/**
 * Sends probes.
 *
 * @param target Whom to.
 * @param probes What.
 * @returns What came of each.
 */
export async function probeAll(
  target: ProbeTarget,
  probes: readonly Probe[],
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const rest = probes.values();
  const work = async (): Promise<void> => {
    for (const probe of rest) outcomes.push(await probeOne(target, probe));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcomes;
}

/**
 * Sends a flight as a client does, and waits until the server has looked at it.
 *
 * @param target Whom to.
 * @param flight A genuine flight.
 */
export async function serve(
  target: ProbeTarget,
  flight: Uint8Array,
): Promise<void> {
  using conn = await Deno.connect(target);
  await writeAll(conn, flight);
  await within(read(conn), target.wait);
}

async function probeOne(
  target: ProbeTarget,
  { family, pieces }: Probe,
): Promise<Outcome> {
  using conn = await Deno.connect(target);
  conn.setNoDelay(true);
  const reading = read(conn);
  let start = performance.now();
  try {
    for (const piece of pieces) await writeAll(conn, piece);
  } catch {
    // The system tells of a reset once: here, or where bytes are read.
    return { family, reaction: "R", time: performance.now() - start };
  }
  start = performance.now();
  const first = await within(reading, target.wait);
  if (first !== undefined) {
    return { family, reaction: first, time: performance.now() - start };
  }
  start = performance.now();
  await conn.closeWrite().catch(() => {});
  const second = await within(reading, PATIENCE);
  const reaction: Reaction = `T${second ?? "T"}`;
  return { family, reaction, time: performance.now() - start };
}

async function read(conn: Deno.Conn): Promise<"R" | "F" | "D"> {
  try {
    const count = await conn.read(new Uint8Array(4096));
    return count === null ? "F" : "D";
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionReset) return "R";
    // The prober itself has closed it.
    return "F";
  }
}

/** What comes in time; undefined: nothing. */
async function within<T>(
  work: Promise<T>,
  milliseconds: number,
): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What was seen of one family. */
export interface FamilyReport {
  /** The family. */
  readonly family: string;
  /** How many probes. */
  readonly probes: number;
  /** How many of each reaction. */
  readonly reactions: ReadonlyMap<Reaction, number>;
  /** The least and the most milliseconds. */
  readonly times: readonly [least: number, most: number];
}

/**
 * Sums up.
 *
 * @param outcomes What came of each probe.
 * @returns By family, in the order of their first probes' ends.
 */
export function reportOf(outcomes: readonly Outcome[]): FamilyReport[] {
  const families = Map.groupBy(outcomes, ({ family }) => family);
  return Array.from(families, ([family, all]) => {
    const reactions = new Map<Reaction, number>();
    for (const { reaction } of all) {
      reactions.set(reaction, (reactions.get(reaction) ?? 0) + 1);
    }
    const times = all.map(({ time }) => time);
    return {
      family,
      probes: all.length,
      reactions,
      times: [Math.min(...times), Math.max(...times)],
    };
  });
}

/**
 * All reactions of a server.
 *
 * @param reports By family.
 * @returns The reactions; one is what a server should have.
 */
export function reactionsOf(reports: readonly FamilyReport[]): Reaction[] {
  return [
    ...new Set(reports.flatMap(({ reactions }) => [...reactions.keys()])),
  ];
}
