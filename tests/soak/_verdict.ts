/**
 * What is read of a role in a soak, and what must be true at the end.
 *
 * @module
 */

/** What a role holds. */
export interface Reading {
  /** Bytes of its resident set. */
  readonly resident: number;
  /** Open descriptors. */
  readonly descriptors: number;
}

/** All that is known at the end of a soak. */
export interface SoakResult {
  /** Of sslocal and ssserver, early and without clients. */
  readonly before: readonly Reading[];
  /** The same at the end. */
  readonly after: readonly Reading[];
  /** Uses that did not go as they must. */
  readonly wrong: readonly string[];
  /** What the roles have written. */
  readonly logs: readonly string[];
}

/** The roles, in the order in which they are read. */
export const ROLES: readonly string[] = ["sslocal", "ssserver"];
/** Of the memory before, in percent, what there may be at the end. */
const MOST_PERCENT = 115;
/** How many wrong uses are told. */
const TOLD = 20;

/**
 * Reads what a role holds.
 *
 * @param pid Its process.
 * @returns The numbers of `/proc`.
 * @throws {Error} If it has ended.
 */
export async function readRole(pid: number): Promise<Reading> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const resident = 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  // A process that has ended and was not waited for has no such line.
  if (!(resident > 0)) throw new Error(`process ${pid} has ended`);
  let descriptors = 0;
  for await (const _entry of Deno.readDir(`/proc/${pid}/fd`)) descriptors++;
  return { resident, descriptors };
}

/**
 * Judges a soak.
 *
 * @param result What came of it.
 * @returns What is not as it must be, in words; empty: it is passed.
 */
export function verdictOf(result: SoakResult): string[] {
  const { before, after, wrong, logs } = result;
  const problems = wrong.slice(0, TOLD);
  if (wrong.length > TOLD) problems.push(`${wrong.length - TOLD} more`);
  for (const [i, role] of ROLES.entries()) {
    const [early, late] = [before[i]!, after[i]!];
    if (late.resident * 100 > early.resident * MOST_PERCENT) {
      problems.push(
        `${role} has ${late.resident} bytes at the end, not ${early.resident}`,
      );
    }
    if (late.descriptors !== early.descriptors) {
      problems.push(
        `${role} has ${late.descriptors} descriptors at the end, not ${early.descriptors}`,
      );
    }
    const unexpected = /^.*unexpected.*$/im.exec(logs[i]!);
    if (unexpected !== null) problems.push(`${role} says: ${unexpected[0]}`);
  }
  return problems;
}
