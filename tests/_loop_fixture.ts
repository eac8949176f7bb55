/**
 * What the contract tests of the pollers share: every poller of this system,
 * a loop that runs until a condition holds, pairs of connected sockets.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  type EventHandler,
  EventLoop,
  type ListenerSocket,
  makePoller,
  POLL_ERR,
  POLL_HUP,
  POLL_IN,
  POLL_NULL,
  POLL_OUT,
  type Poller,
  type Socket,
  SocketAddress,
  type StreamSocket,
} from "../loop/mod.ts";
import { withoutLeaks } from "./_descriptors.ts";

/** Milliseconds after which a test has failed; never waited for otherwise. */
const DEADLINE = 30_000;

/** `127.0.0.1`, a port that the system chooses. */
export const LOOPBACK: SocketAddress = SocketAddress.parse("127.0.0.1", 0);
/** `::1`, a port that the system chooses. */
export const LOOPBACK6: SocketAddress = SocketAddress.parse("::1", 0);

const POLLERS: Poller["name"][] = ["deno"];
{
  using best = await makePoller();
  if (best.name !== "deno") POLLERS.push(best.name);
}

/** The pollers that this system has. */
export function pollers(): readonly Poller["name"][] {
  return POLLERS;
}

/**
 * Defines one test for each poller.
 *
 * @param name The name of the test.
 * @param body The test; its fixture is disposed of for it.
 */
export function contractTest(
  name: string,
  body: (fixture: LoopFixture) => Promise<void>,
): void {
  for (const poller of pollers()) {
    Deno.test(`${name} (${poller})`, () =>
      withoutLeaks(async (descriptors) => {
        using fixture = new LoopFixture(await descriptors.makePoller(poller));
        await body(fixture);
      }));
  }
}

/** Two ends of one connection. */
export interface Pair {
  /** The end that connected. */
  readonly client: StreamSocket;
  /** The end that was accepted. */
  readonly server: StreamSocket;
}

/** A poller and a loop over it. */
export class LoopFixture implements Disposable {
  /** Makes the sockets. */
  readonly poller: Poller;
  /** Runs over the poller. */
  readonly loop: EventLoop;
  #condition: () => boolean = () => false;
  #failure: unknown;
  #waiting = false;
  readonly #onWait: (() => void)[] = [];

  /**
   * Makes the loop.
   *
   * @param poller Disposed of with the fixture.
   */
  constructor(poller: Poller) {
    this.poller = poller;
    this.loop = new EventLoop(poller);
    const wait = poller.wait.bind(poller);
    poller.wait = async (timeout) => {
      const waiting = wait(timeout);
      this.#waiting = true;
      this.#onWait.splice(0).forEach((resolve) => resolve());
      try {
        return await waiting;
      } finally {
        this.#waiting = false;
      }
    };
  }

  /** Watches a socket; what `callback` throws fails the test. */
  on(
    socket: Socket,
    mask: number,
    callback: (event: number) => void,
  ): void {
    this.loop.add(socket, mask, this.handler(callback));
  }

  /** A handler whose errors fail the test. */
  handler(callback: (event: number) => void): EventHandler {
    return {
      handleEvent: (_socket, _fd, event) => this.guard(() => callback(event)),
    };
  }

  /** Calls `callback` after a delay of the loop. */
  after(milliseconds: number, callback: () => void): void {
    this.loop.addTimer(milliseconds, () => this.guard(callback));
  }

  /** Calls `callback`; then stops if it threw, or the condition holds. */
  guard(callback: () => void): void {
    try {
      callback();
      if (this.#condition()) this.loop.stop();
    } catch (error) {
      this.#failure ??= error;
      this.loop.stop();
    }
  }

  /** Settles when the loop is asleep in the poller's `wait`. */
  asleep(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting) resolve();
      else this.#onWait.push(resolve);
    });
  }

  /** Runs the loop until `condition` holds after one of the callbacks. */
  async until(condition: () => boolean, what: string): Promise<void> {
    if (condition()) return;
    this.#condition = condition;
    const timer = setTimeout(() => {
      this.#failure ??= new Error(`Cannot reach "${what}" in ${DEADLINE} ms`);
      this.loop.stop();
    }, DEADLINE);
    try {
      await this.loop.run();
    } finally {
      clearTimeout(timer);
      this.#condition = () => false;
    }
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
    assert(condition(), `the loop ended before "${what}"`);
  }

  /** Connects to a listener of this loop, and accepts. */
  async connect(listener: ListenerSocket): Promise<Pair> {
    let server: StreamSocket | undefined;
    let connected = false;
    this.on(listener, POLL_IN, () => {
      server ??= listener.accept();
      if (server !== undefined) this.loop.modify(listener, POLL_NULL);
    });
    const client = this.poller.connectTcp(listener.localAddress);
    this.on(client, POLL_OUT, (event) => {
      assert((event & (POLL_ERR | POLL_HUP)) === 0, client.takeError());
      connected = true;
      this.loop.remove(client);
    });
    await this.until(() => connected && server !== undefined, "a connection");
    this.loop.remove(listener);
    return { client, server: server! };
  }

  /** Two ends of a new connection over loopback. */
  async pair(address: SocketAddress = LOOPBACK): Promise<Pair> {
    using listener = this.poller.listenTcp(address);
    return await this.connect(listener);
  }

  /** Sends `data` as POLL_OUT allows, then calls `done`. */
  sendAll(socket: StreamSocket, data: Uint8Array, done?: () => void): void {
    let rest = data;
    this.on(socket, POLL_OUT, () => {
      const sent = socket.send(rest);
      if (sent >= 0) rest = rest.subarray(sent);
      else assert(sent === -1, `send failed: ${socket.error}`);
      if (rest.length > 0) return;
      this.loop.remove(socket);
      done?.();
    });
  }

  /** Lets the loop make `count` turns, driven by round trips. */
  async turns(count: number): Promise<void> {
    const { client, server } = await this.pair();
    const byte = new Uint8Array(1);
    let done = 0;
    const bounce = (socket: StreamSocket): void => {
      this.on(socket, POLL_IN, (event) => {
        if ((event & POLL_IN) !== 0) assertEquals(socket.recv(byte), 1);
        // Where other sockets hold much, the system may have no room for it.
        const isSent = socket.send(byte) === 1;
        this.loop.modify(socket, isSent ? POLL_IN : POLL_OUT);
        if (isSent) done++;
      });
    };
    // One byte goes to and fro.
    bounce(client);
    bounce(server);
    assertEquals(client.send(byte), 1);
    await this.until(() => done >= count, `${count} turns`);
    for (const socket of [client, server]) {
      this.loop.remove(socket);
      socket.close();
    }
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.poller[Symbol.dispose]();
  }
}
