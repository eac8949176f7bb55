/**
 * The file of a unix socket: made for its owner alone, removed at the end.
 *
 * @module
 */

import { SocketError } from "./socket.ts";

/**
 * Most bytes of a path, without the zero byte at its end: `sun_path` has 108
 * bytes on Linux, 104 on macOS and the BSDs (unix(7), unix(4)).
 */
const MAX_PATH = Deno.build.os === "linux" ? 107 : 103;

/** Takes every right from group and others, and execution from the owner. */
const PRIVATE_UMASK = 0o177;

/**
 * Binds a unix socket so that its file has mode 0600 from its first moment.
 *
 * @param bind Makes the file; nothing else may happen in it.
 * @returns What `bind` returns.
 */
export function bindPrivately<T>(bind: () => T): T {
  const before = Deno.umask(PRIVATE_UMASK);
  try {
    return bind();
  } finally {
    Deno.umask(before);
  }
}

/**
 * Encodes the path of a socket.
 *
 * @param path The path.
 * @param options `reserve`: bytes that must be left free.
 * @returns Its bytes, without a zero byte at the end.
 * @throws {SocketError} If it is longer than the system takes.
 */
export function encodePath(
  path: string,
  options: { readonly reserve?: number } = {},
): Uint8Array {
  const bytes = new TextEncoder().encode(path);
  const limit = MAX_PATH - (options.reserve ?? 0);
  if (bytes.length <= limit) return bytes;
  throw new SocketError(
    "ENAMETOOLONG",
    `Cannot bind unix socket to ${path}: the path has ${bytes.length} bytes, ` +
      `the system takes ${limit}`,
  );
}

/** The file that binding has made. */
export class SocketFile {
  readonly #path: string;
  readonly #inode: number | null;

  /**
   * Remembers the file at a path.
   *
   * @param path The path just bound to.
   */
  constructor(path: string) {
    this.#path = path;
    this.#inode = inodeOf(path);
  }

  /** Removes the file, unless another one has taken its place. */
  remove(): void {
    if (this.#inode === null || inodeOf(this.#path) !== this.#inode) return;
    try {
      Deno.removeSync(this.#path);
    } catch {
      // The process may have given the right up; a next one clears the file.
    }
  }
}

function inodeOf(path: string): number | null {
  try {
    return Deno.lstatSync(path).ino;
  } catch {
    return null;
  }
}
