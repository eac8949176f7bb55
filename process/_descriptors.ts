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

import { DescriptorBudget } from "../loop/mod.ts";
import { ProcessError } from "./errors.ts";

const SYMBOLS = {
  // int getrlimit(int resource, struct rlimit *limit)
  getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  // int setrlimit(int resource, const struct rlimit *limit)
  setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  // int dup(int fd)
  dup: { parameters: ["i32"], result: "i32" },
  // int close(int fd)
  close: { parameters: ["i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** What a system calls things, and what it allows. */
interface DescriptorSystem {
  /** The file of libc. */
  readonly library: string;
  /** RLIMIT_NOFILE. */
  readonly resource: number;
  /** What setrlimit takes at most; macOS: OPEN_MAX of sys/syslimits.h. */
  readonly most: bigint;
}

const SYSTEMS: Readonly<
  Partial<Record<typeof Deno.build.os, DescriptorSystem>>
> = {
  linux: { library: "libc.so.6", resource: 7, most: 1n << 62n },
  darwin: { library: "libSystem.B.dylib", resource: 8, most: 10_240n },
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
 * Refuses to start where the runtime would break for want of descriptors.
 *
 * @throws {ProcessError} If too few are left.
 */
export function checkDescriptors(): void {
  const left = descriptorsLeft();
  if (left === undefined || left >= LEAST) return;
  throw new ProcessError(
    `Cannot start with ${left} descriptors left: ${LEAST} are needed at ` +
      "least; raise the limit (ulimit -n)",
  );
}

/**
 * Raises the soft limit of descriptors to the hard one, and gives a loop its
 * share of those that are left.
 *
 * @param loops How many loops the process has.
 * @returns The share; one without a bound where the limit is not known.
 */
export function openBudget(loops: number): DescriptorBudget {
  const left = descriptorsLeft();
  if (left === undefined) return new DescriptorBudget();
  return new DescriptorBudget(Math.floor(left / loops) - OTHERS);
}

/** @returns How many the process may still open; undefined: not known. */
function descriptorsLeft(): number | undefined {
  const system = SYSTEMS[Deno.build.os];
  return system && (raiseLimit(system) ?? readLimit());
}

/** @returns How many descriptors are left; undefined: there is no FFI. */
function raiseLimit(
  { library, resource, most }: DescriptorSystem,
): number | undefined {
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    return undefined;
  }
  let libc: Deno.DynamicLibrary<typeof SYMBOLS> | undefined;
  try {
    libc = Deno.dlopen(library, SYMBOLS);
    const { symbols } = libc;
    const limit = new BigUint64Array(2);
    if (symbols.getrlimit(resource, limit) !== 0) return undefined;
    let [soft = 0n, hard = 0n] = limit;
    if (hard > most) hard = most;
    if (soft < hard) {
      limit[0] = hard;
      if (symbols.setrlimit(resource, limit) === 0) soft = hard;
    }
    // The system gives the lowest number that is free, so it tells how many
    // are taken.
    const next = symbols.dup(STDERR);
    if (next >= 0) symbols.close(next);
    return Number(soft) - (next >= 0 ? next : RUNTIME);
  } catch {
    return undefined;
  } finally {
    libc?.close();
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
