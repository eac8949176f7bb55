/**
 * Tests of what only the `epoll` poller has. Its contract is tested with the
 * other pollers'.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { LOOPBACK, pollers } from "../tests/_loop_fixture.ts";
import { Descriptors, withoutLeaks } from "../tests/_descriptors.ts";
import { EpollPoller } from "./_epoll.ts";
import { type Libc, openLibc } from "./_libc.ts";
import { POLL_ERR, POLL_HUP, POLL_IN } from "./events.ts";
import type { DatagramSocket } from "./socket.ts";

const SYS_DUP = Deno.build.arch === "x86_64" ? 32 : 23;
/** Enough sockets to take every number that has become free. */
const FRESH = 20;
/** Other files of this process take numbers too, so one try may miss. */
const TRIES = 100;

function epollTest(
  name: string,
  body: (descriptors: Descriptors) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore: !pollers().includes("epoll"),
    fn: () => withoutLeaks(body),
  });
}

/** A socket with a datagram to read. */
function readable(poller: EpollPoller): DatagramSocket {
  const socket = poller.bindUdp(LOOPBACK);
  assertEquals(socket.sendTo(new Uint8Array(1), socket.localAddress), 1);
  poller.register(socket, POLL_IN);
  return socket;
}

/**
 * Closes a socket and watches new ones, none of which has anything to read.
 *
 * @returns Whether one of them has got the number.
 */
function replace(poller: EpollPoller, socket: DatagramSocket): boolean {
  socket.close();
  for (let i = 0; i < FRESH; i++) {
    const fresh = poller.bindUdp(LOOPBACK);
    poller.register(fresh, POLL_IN);
    if (fresh.fd === socket.fd) return true;
  }
  return false;
}

epollTest(
  "EpollPoller.wait() gives a new socket no event of a socket closed meanwhile",
  async (descriptors) => {
    let poller: EpollPoller | undefined;
    let old: DatagramSocket | undefined;
    let replaced = false;
    const watched = descriptors.watch(openLibc());
    const libc: Libc = {
      ...watched,
      symbols: {
        ...watched.symbols,
        // The other thread has its events before this one looks at them.
        epoll_wait_async: (...args) => {
          const count = watched.symbols.epoll_wait(...args);
          assertEquals(count, 1);
          replaced = replace(poller!, old!);
          return Promise.resolve(count);
        },
      },
    };
    for (let i = 0; i < TRIES && !replaced; i++) {
      using made = poller = new EpollPoller(libc);
      old = readable(made);
      assertEquals(await made.wait(1000), 0);
    }
    assert(replaced, "no socket got the number");
  },
);

epollTest(
  "EpollPoller gives a new socket no event of a closed one that a process being started has",
  async (descriptors) => {
    const libc = descriptors.watch(openLibc());
    let replaced = false;
    for (let i = 0; i < TRIES && !replaced; i++) {
      using poller = new EpollPoller(libc);
      const old = readable(poller);
      assertEquals(poller.poll(1000), 1);
      assertEquals(poller.readyFds[0], old.fd);
      // The new process has all descriptors of this one, as this has one.
      const other = openLibc().symbols.syscall(
        SYS_DUP,
        old.fd,
        new Uint8Array(0),
        0,
        0,
        null,
        null,
      );
      assert(other >= 0);
      try {
        replaced = replace(poller, old);
        assertEquals(poller.poll(0), 0);
        assertEquals(await poller.wait(0), 0);
      } finally {
        openLibc().symbols.close(other);
      }
    }
    assert(replaced, "no socket got the number");
  },
);

epollTest(
  "EpollPoller has a socket fail that epoll_ctl refuses, while it waits too",
  async (descriptors) => {
    const watched = descriptors.watch(openLibc());
    let refusing = false;
    const libc: Libc = {
      symbols: {
        ...watched.symbols,
        epoll_ctl: (...args) =>
          refusing ? -1 : watched.symbols.epoll_ctl(...args),
      },
      errno: () => refusing ? 28 : watched.errno(),
    };
    using poller = new EpollPoller(libc);
    const refuse = (): DatagramSocket => {
      const socket = poller.bindUdp(LOOPBACK);
      refusing = true;
      poller.register(socket, POLL_IN);
      return socket;
    };
    const assertFailed = (count: number, socket: DatagramSocket): void => {
      refusing = false;
      assertEquals(count, 1);
      assertEquals(poller.readyFds[0], socket.fd);
      assertEquals(poller.readyEvents[0], POLL_ERR | POLL_HUP);
      assertEquals(socket.takeError(), "ENOSPC");
      socket.close();
    };
    const first = refuse();
    assertFailed(poller.poll(10_000), first);
    const second = refuse();
    assertFailed(await poller.wait(10_000), second);
    const waiting = poller.wait(10_000);
    const third = refuse();
    assertFailed(await waiting, third);
    assertEquals(poller.poll(0), 0, "an error is told once");
  },
);
