/**
 * Files that are memory at once, by libc on Linux.
 *
 * @module
 */

import { cString, O_CLOEXEC, O_RDWR, POSIX_SYMBOLS } from "../_posix.ts";

const SYMBOLS = {
  open: POSIX_SYMBOLS.open,
  close: POSIX_SYMBOLS.close,
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
 * Maps a file for good; all who map it have the same memory.
 *
 * @param path The file, which has blocks for all its bytes.
 * @param length How many bytes.
 * @returns Where; undefined: it cannot be done here.
 */
export function mapFile(path: string, length: number): bigint | undefined {
  using libc = openLibc();
  if (libc === undefined) return undefined;
  const pointer = withFile(libc, path, (fd) =>
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

/** @returns undefined: it cannot be opened. */
function withFile<T>(
  { symbols }: Libc,
  path: string,
  use: (fd: number) => T,
): T | undefined {
  const fd = symbols.open(cString(path), O_RDWR | O_CLOEXEC);
  if (fd < 0) return undefined;
  try {
    return use(fd);
  } finally {
    symbols.close(fd);
  }
}
