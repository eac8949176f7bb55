/**
 * Names of unix sockets, and the files they leave behind.
 *
 * @module
 */

/** The name of a unix socket; a socket that was not bound has none. */
export class UnixAddress {
  /** The path of its file; empty when it has no name that a path can say. */
  readonly path: string;
  /** Room for a poller to keep the form that its system calls take. */
  readonly native: Uint8Array | undefined;

  /**
   * Makes a name.
   *
   * @param path The path; empty for none.
   * @param native The form that the poller's system calls take.
   */
  constructor(path: string, native?: Uint8Array) {
    this.path = path;
    this.native = native;
  }

  /** The path, or a word for a socket without a name. */
  toString(): string {
    return this.path === "" ? "a socket without a name" : this.path;
  }
}

/**
 * Removes the file of a unix socket that nobody listens on any more, as a
 * program that was killed leaves it behind. Everything else at that path is
 * left alone: other files, and sockets in use.
 *
 * @param path The path of the socket.
 * @returns Whether a file was removed.
 */
export async function removeStaleSocket(path: string): Promise<boolean> {
  try {
    if (!(await Deno.lstat(path)).isSocket) return false;
    // The connect is refused only if no socket of any kind is bound to the file.
    const conn = await Deno.connect({ transport: "unix", path });
    conn.close();
    return false;
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionRefused)) return false;
  }
  try {
    await Deno.remove(path);
    return true;
  } catch {
    // Binding to the path will say why.
    return false;
  }
}
