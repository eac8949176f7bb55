/**
 * The descriptors of the process: as many as the system allows, shared out
 * among its loops.
 *
 * ```text
 * struct rlimit  soft(8) hard(8)   both systems, 64 bits
 * ```
 *
 * @module
 */

import { openPosix } from "./_posix.ts";
import { ProcessError } from "./errors.ts";

/** What a system calls the limit of descriptors, and what it allows. */
interface DescriptorLimit {
  /** RLIMIT_NOFILE. */
  readonly resource: number;
  /** What setrlimit takes at most; macOS: OPEN_MAX of sys/syslimits.h. */
  readonly most: bigint;
}

const LIMITS: Readonly<
  Partial<Record<typeof Deno.build.os, DescriptorLimit>>
> = {
  linux: { resource: 7, most: 1n << 62n },
  darwin: { resource: 8, most: 10_240n },
};

const STDERR = 2;
/**
 * Descriptors that a loop and the process open beside their sockets: epoll and
 * what wakes it, both ends of the connection for turns of Deno's own loop, two
 * log files, and two to read a file or the random source.
 */
const OTHERS = 8;
/** Descriptors of the runtime where they cannot be counted; it has 20 to 30. */
const RUNTIME = 32;
/**
 * Without so many nobody could be served: beside OTHERS those are two of the
 * runtime for signals, which it cannot do without, and one listener. There is
 * room for a connection then, since not all of OTHERS are open for long.
 */
const LEAST = OTHERS + 3;

/**
 * Raises the soft limit of descriptors to the hard one, and refuses to start
 * where the runtime would break for want of descriptors.
 *
 * @returns How many the process may still open; undefined: not known.
 * @throws {ProcessError} If too few are left.
 */
export function checkDescriptors(): number | undefined {
  const limit = LIMITS[Deno.build.os];
  const left = limit && (raiseLimit(limit) ?? readLimit());
  if (left === undefined || left >= LEAST) return left;
  throw new ProcessError(
    `Cannot start with ${left} descriptors left: ${LEAST} are needed at ` +
      "least; raise the limit (ulimit -n)",
  );
}

/**
 * Gives each loop of the process its share of the descriptors.
 *
 * @param left How many there are; undefined: not known.
 * @param loops How many loops the process has.
 * @returns What the sockets of one loop may have; undefined: not known.
 */
export function shareOfDescriptors(
  left: number | undefined,
  loops: number,
): number | undefined {
  return left === undefined ? undefined : Math.floor(left / loops) - OTHERS;
}

/** @returns How many descriptors are left; undefined: there is no FFI. */
function raiseLimit(
  { resource, most }: DescriptorLimit,
): number | undefined {
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    return undefined;
  }
  try {
    const posix = openPosix();
    const limit = new BigUint64Array(2);
    if (posix.getrlimit(resource, limit) !== 0) return undefined;
    let [soft = 0n, hard = 0n] = limit;
    if (hard > most) hard = most;
    if (soft < hard) {
      limit[0] = hard;
      if (posix.setrlimit(resource, limit) === 0) soft = hard;
    }
    // The system gives the lowest number that is free, so it tells how many
    // are taken.
    const next = posix.dup(STDERR);
    if (next >= 0) posix.close(next);
    return Number(soft) - (next >= 0 ? next : RUNTIME);
  } catch {
    return undefined;
  }
}

/** @returns The same by the files of Linux; undefined: they cannot be read. */
function readLimit(): number | undefined {
  if (Deno.permissions.querySync({ name: "read" }).state !== "granted") {
    return undefined;
  }
  try {
    const limits = Deno.readTextFileSync("/proc/self/limits");
    const soft = /^Max open files +(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? undefined : Number(soft) - RUNTIME;
  } catch {
    return undefined;
  }
}
