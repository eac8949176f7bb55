/**
 * Files that are memory at once, by libc on Linux.
 *
 * @module
 */

import {
  cString,
  O_CLOEXEC,
  O_RDWR,
  POSIX_SYMBOLS,
  statFd,
} from "../_posix.ts";

const SYMBOLS = {
  open: POSIX_SYMBOLS.open,
  close: POSIX_SYMBOLS.close,
  // int fchmod(int fd, mode_t mode)
  fchmod: { parameters: ["i32", "u32"], result: "i32" },
  // int posix_fallocate(int fd, off_t offset, off_t length)
  posix_fallocate: { parameters: ["i32", "i64", "i64"], result: "i32" },
  // void *mmap(void *at, size_t length, int prot, int flags, int fd, off_t at)
  mmap: {
    parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"],
    result: "pointer",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** Of x86_64 and aarch64 alike. */
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_FAILED = 2n ** 64n - 1n;
const ENOSPC = 28;
/** The rights of a file that its user alone can open. */
const PRIVATE = 0o600;
/** Bytes written at a time where libc cannot be asked. */
const ZEROS = 1 << 20;

/**
 * Gives an empty file blocks for all its bytes. Memory of a file on a disk that
 * is full would end the process at the first write (SIGBUS).
 *
 * @param path The file.
 * @param file The same, open.
 * @param length Its bytes, which are zero.
 * @throws {Error} If there is no room.
 */
export function allocate(
  path: string,
  file: Deno.FsFile,
  length: number,
): void {
  using libc = openLibc();
  const code = libc === undefined ? -1 : withFile(
    libc,
    path,
    file,
    (fd) => libc.symbols.posix_fallocate(fd, 0n, BigInt(length)),
  );
  if (code === 0) return;
  if (code === ENOSPC) throw new Error("No space left on device");
  // No libc, or no file system that can be asked.
  const zeros = new Uint8Array(ZEROS);
  for (let at = 0; at < length;) {
    at += file.writeSync(zeros.subarray(0, length - at));
  }
}

/**
 * Takes the rights of others to a file away, where libc can be asked.
 *
 * @param path The file.
 * @param file The same, open.
 */
export function makePrivate(path: string, file: Deno.FsFile): void {
  if (((file.statSync().mode ?? 0) & 0o777) === PRIVATE) return;
  using libc = openLibc();
  if (libc === undefined) return;
  withFile(libc, path, file, (fd) => libc.symbols.fchmod(fd, PRIVATE));
}

/**
 * Maps a file for good; all who map it have the same memory.
 *
 * @param path The file, which has blocks for all its bytes.
 * @param file The same, open.
 * @param length How many bytes.
 * @returns Where; undefined: it cannot be done here.
 */
export function mapFile(
  path: string,
  file: Deno.FsFile,
  length: number,
): bigint | undefined {
  using libc = openLibc();
  if (libc === undefined) return undefined;
  const pointer = withFile(libc, path, file, (fd) =>
    libc.symbols.mmap(
      null,
      BigInt(length),
      PROT_READ_WRITE,
      MAP_SHARED,
      fd,
      0n,
    ));
  const address = Deno.UnsafePointer.value(pointer ?? null);
  return address === 0n || address === MAP_FAILED ? undefined : address;
}

type Libc = Deno.DynamicLibrary<typeof SYMBOLS> & Disposable;

/** @returns undefined: another system, or FFI is denied. */
function openLibc(): Libc | undefined {
  if (Deno.build.os !== "linux") return undefined;
  try {
    const library = Deno.dlopen("libc.so.6", SYMBOLS);
    return Object.assign(library, {
      [Symbol.dispose]: (): void => library.close(),
    });
  } catch {
    return undefined;
  }
}

/**
 * Whether two descriptions are of one file.
 *
 * @param one The one.
 * @param other The other.
 */
export function isSameFile(one: Deno.FileInfo, other: Deno.FileInfo): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}

/**
 * Gives the number of a file, which Deno does not tell.
 *
 * @returns undefined: it cannot be opened, or its name leads elsewhere by now.
 */
function withFile<T>(
  { symbols }: Libc,
  path: string,
  file: Deno.FsFile,
  use: (fd: number) => T,
): T | undefined {
  const fd = symbols.open(cString(path), O_RDWR | O_CLOEXEC);
  if (fd < 0) return undefined;
  try {
    return isSameFile(statFd(fd), file.statSync()) ? use(fd) : undefined;
  } catch {
    return undefined;
  } finally {
    symbols.close(fd);
  }
}
