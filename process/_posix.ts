/**
 * What a process needs of libc on Linux and macOS and Deno does not offer:
 * file locks, sessions, descriptors and their limit, users.
 *
 * `open` is variadic in C; without a mode its arguments travel as usual on
 * every machine. `lockf` and not `flock`: the locks of other implementations
 * on the same pid file are of this kind.
 *
 * @module
 */

import { refusesLog } from "./_log_open.ts";
import { ProcessError, reasonOf } from "./errors.ts";

/** The functions that both systems have, as C declares them. */
export const POSIX_SYMBOLS = {
  // int open(const char *path, int flags)
  open: { parameters: ["buffer", "i32"], result: "i32" },
  // int close(int fd)
  close: { parameters: ["i32"], result: "i32" },
  // int dup(int fd)
  dup: { parameters: ["i32"], result: "i32" },
  // int dup2(int from, int to)
  dup2: { parameters: ["i32", "i32"], result: "i32" },
  // int lockf(int fd, int command, off_t length)
  lockf: { parameters: ["i32", "i32", "i64"], result: "i32" },
  // int fchown(int fd, uid_t user, gid_t group)
  fchown: { parameters: ["i32", "u32", "u32"], result: "i32" },
  // int ftruncate(int fd, off_t length)
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  // ssize_t write(int fd, const void *data, size_t length)
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int getrlimit(int resource, struct rlimit *limit)
  getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  // int setrlimit(int resource, const struct rlimit *limit)
  setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  // pid_t setsid(void)
  setsid: { parameters: [], result: "i32" },
  // struct passwd *getpwnam(const char *name)
  getpwnam: { parameters: ["buffer"], result: "pointer" },
  // int initgroups(const char *name, gid_t group)
  initgroups: { parameters: ["buffer", "u32"], result: "i32" },
  // int setgid(gid_t group)
  setgid: { parameters: ["u32"], result: "i32" },
  // int setuid(uid_t user)
  setuid: { parameters: ["u32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** libc's functions as they are. */
export type PosixSymbols = Deno.DynamicLibrary<typeof POSIX_SYMBOLS>["symbols"];

/** Files of libc by system. */
const LIBRARIES: Readonly<Partial<Record<typeof Deno.build.os, string>>> = {
  linux: "libc.so.6",
  darwin: "libSystem.B.dylib",
};

/** `open`: for reading and writing. */
export const O_RDWR = 2;
/** `open`: for writing. */
export const O_WRONLY = 1;
/** `open`: every write goes to the end. */
export const O_APPEND: number = Deno.build.os === "darwin" ? 0x8 : 0o2000;
/** `open`: programs that this one starts do not get it. */
export const O_CLOEXEC: number = Deno.build.os === "darwin"
  ? 0x1000000
  : 0o2000000;
/** `lockf`: lock, or fail if another process has. */
export const F_TLOCK = 2;
/** `lockf`: fail if another process has the lock. */
export const F_TEST = 3;

let bound: PosixSymbols | undefined;

/**
 * Binds libc, once.
 *
 * @returns The functions.
 * @throws {ProcessError} If this system has none or FFI is denied.
 */
export function openPosix(): PosixSymbols {
  if (bound !== undefined) return bound;
  const library = LIBRARIES[Deno.build.os];
  if (library === undefined) {
    throw new ProcessError(`Cannot bind libc: ${Deno.build.os} has none`);
  }
  try {
    return bound = Deno.dlopen(library, POSIX_SYMBOLS).symbols;
  } catch (error) {
    const denied = error instanceof Deno.errors.NotCapable;
    throw new ProcessError(
      `Cannot bind libc: ${denied ? "run with --allow-ffi" : reasonOf(error)}`,
    );
  }
}

const encoder = new TextEncoder();

/**
 * Makes a string of C.
 *
 * @param text The text.
 * @returns Its UTF-8 bytes and a final zero.
 */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(`${text}\0`);
}

/**
 * Makes standard output and standard error lead to a file.
 *
 * @param path A file that exists; if it cannot be opened nothing changes.
 */
export function redirectOutput(path: string): void {
  prepareRedirect(path)();
}

/**
 * Opens a file, as the user of now, for standard output and standard error.
 *
 * @param path A file that exists; if it cannot be opened nothing changes.
 * @returns Makes both lead to the file; to be called once.
 */
export function prepareRedirect(path: string): () => void {
  const posix = openPosix();
  const flags = O_WRONLY | O_APPEND | O_CLOEXEC;
  const fd = posix.open(cString(path), flags);
  const isRefused = fd >= 0 && !mayWrite(path, fd);
  if (isRefused) posix.close(fd);
  return (): void => {
    if (fd < 0 || isRefused) return;
    posix.dup2(fd, 1);
    posix.dup2(fd, 2);
    posix.close(fd);
  };
}

function mayWrite(path: string, fd: number): boolean {
  try {
    return refusesLog(Deno.lstatSync(path), statFd(fd)) === undefined;
  } catch {
    return false;
  }
}

/**
 * Describes an open file, whatever its name leads to by now.
 *
 * @param fd The file.
 * @returns Its description.
 * @throws {Error} If the system does not tell.
 */
export function statFd(fd: number): Deno.FileInfo {
  return Deno.statSync(
    Deno.build.os === "linux" ? `/proc/self/fd/${fd}` : `/dev/fd/${fd}`,
  );
}

/**
 * Tells whether an open file has a name, by no link, and no other: in a folder
 * of another user a link can lead to any file.
 *
 * @param path The name.
 * @param fd The file.
 * @returns False also if it cannot be told.
 */
export function isAlone(path: string, fd: number): boolean {
  try {
    const named = Deno.lstatSync(path);
    const opened = statFd(fd);
    return named.isFile && named.dev === opened.dev &&
      named.ino === opened.ino && opened.nlink === 1;
  } catch {
    return false;
  }
}
