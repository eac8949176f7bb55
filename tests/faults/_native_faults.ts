/**
 * Has libc's calls fail as a system that is short of something has them fail.
 *
 * @module
 */

import type { Libc, LibcSymbols } from "../../loop/_libc.ts";

/** ENOSPC: what epoll_ctl says when too many descriptors are watched. */
const ENOSPC = 28;

/** The calls that can be made to fail. */
export type NativeCall = Exclude<
  keyof LibcSymbols,
  "__errno_location" | "close"
>;

/** Between a poller and libc. */
export class NativeFaults {
  #name: NativeCall | undefined;
  #left = 0;
  #fired: (() => void) | undefined;
  /** The errno of the last call, if that was made to fail. */
  #errno: number | undefined;

  /** Has one call of a name fail; settles when it has. */
  fail(name: NativeCall, after: number): Promise<"fired"> {
    this.#name = name;
    this.#left = after;
    return new Promise((resolve) => {
      this.#fired = () => resolve("fired");
    });
  }

  /** Has nothing fail any more. */
  stop(): void {
    this.#name = this.#fired = undefined;
  }

  /** Puts the faults between. */
  wrap(libc: Libc): Libc {
    const symbols: Record<string, unknown> = {};
    for (const [name, call] of Object.entries(libc.symbols)) {
      symbols[name] = (...args: never[]): unknown => {
        this.#errno = undefined;
        if (name !== this.#name || this.#left-- > 0) {
          return (call as (...args: never[]) => unknown)(...args);
        }
        this.#fired?.();
        this.stop();
        // The errno of another thread is not seen here.
        if (name === "epoll_wait_async") return Promise.resolve(-1);
        this.#errno = ENOSPC;
        return -1;
      };
    }
    return {
      symbols: symbols as unknown as LibcSymbols,
      errno: () => this.#errno ?? libc.errno(),
    };
  }
}
