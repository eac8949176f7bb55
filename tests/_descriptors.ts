/**
 * Which descriptors the epoll poller of a test has opened and not closed.
 *
 * The sanitizers of `deno test` see what Deno opens, so this looks at what is
 * opened through FFI alone: libc is wrapped, and every descriptor that it
 * gives away must come back. The files that run side by side in one process
 * do not disturb that, as they would disturb a count of `/proc/self/fd`.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { EpollPoller } from "../loop/_epoll.ts";
import { type Libc, openLibc } from "../loop/_libc.ts";
import { type EventLoop, makePoller, type Poller } from "../loop/mod.ts";

/** The descriptors of one test. */
export class Descriptors {
  readonly #open = new Set<number>();
  readonly #faults: string[] = [];

  /**
   * Makes a poller whose descriptors are known here.
   *
   * @param name Which one; default: the best of this system.
   * @param wrap Puts something between the poller and libc.
   * @returns The poller.
   */
  async makePoller(
    name?: Poller["name"],
    wrap: (libc: Libc) => Libc = (libc) => libc,
  ): Promise<Poller> {
    if ((name ?? await bestPoller()) === "deno") {
      return await makePoller("deno");
    }
    return new EpollPoller(wrap(this.watch(openLibc())));
  }

  /**
   * Wraps libc: what its functions open and close is noted.
   *
   * @param libc The functions.
   * @returns The same functions with notes.
   */
  watch(libc: Libc): Libc {
    const { symbols } = libc;
    const note = (fd: number): number => {
      if (fd >= 0) this.#open.add(fd);
      return fd;
    };
    return {
      symbols: {
        ...symbols,
        socket: (...args) => note(symbols.socket(...args)),
        accept4: (...args) => note(symbols.accept4(...args)),
        epoll_create1: (flags) => note(symbols.epoll_create1(flags)),
        eventfd: (...args) => note(symbols.eventfd(...args)),
        close: (fd) => {
          if (!this.#open.delete(fd)) {
            this.#faults.push(`close(${fd}), which is not open`);
          }
          return symbols.close(fd);
        },
      },
      errno: () => libc.errno(),
    };
  }

  /**
   * Fails unless everything was closed, and once only.
   *
   * @param but How many may still be open.
   */
  assertClosed(but = 0): void {
    assertEquals(this.#faults, []);
    const open = [...this.#open];
    if (open.length !== but) assertEquals(open, [], "descriptors left open");
  }

  /**
   * Disposes of a loop's poller; fails if a socket was watched or open.
   *
   * @param loop Has stopped; its poller is one of
   * {@linkcode Descriptors.makePoller}.
   */
  endLoop({ poller, size }: EventLoop): void {
    try {
      // The poller closes what is left: so this looks before.
      assertEquals(size, 0, "sockets still watched");
      // epoll has its own descriptor, and an eventfd that wakes it.
      this.assertClosed(poller.name === "epoll" ? 2 : 0);
    } finally {
      poller[Symbol.dispose]();
    }
    this.assertClosed();
  }
}

/**
 * Fails if `body` leaves descriptors open.
 *
 * @param body What to run; makes its pollers with what it is given.
 */
export async function withoutLeaks(
  body: (descriptors: Descriptors) => Promise<void>,
): Promise<void> {
  const descriptors = new Descriptors();
  await body(descriptors);
  descriptors.assertClosed();
}

async function bestPoller(): Promise<Poller["name"]> {
  using best = await makePoller();
  return best.name;
}
