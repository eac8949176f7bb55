/**
 * `Deno.listenDatagram` with unix sockets, made to send while it receives.
 *
 * Deno lends such a socket to one operation at a time: as long as a receive
 * waits, nothing can be sent. So what is to be sent first wakes the receive,
 * with a datagram of a second socket that nobody else sees.
 *
 * A client that is alive and does not read its answers holds back those of
 * the others, until it reads or ends.
 *
 * @module
 */

import { closeQuietly } from "./_deno_socket.ts";
import type { DatagramConn } from "./_deno_datagram.ts";
import { bindPrivately, encodePath, SocketFile } from "./_unix.ts";

/** The path of the second socket is that of the first with this behind it. */
const WAKER_SUFFIX = "~";
const WAKE = new Uint8Array(1);

/** A datagram and where it came from. */
export type Received = [Uint8Array, Deno.Addr];

/** An operation that waits for its turn. */
interface Waiting<T> {
  readonly data: Uint8Array;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

interface WaitingSend extends Waiting<number> {
  readonly to: Deno.Addr;
}

/** A unix datagram socket that can send at any time. */
export class DenoUnixConn implements DatagramConn {
  /** What it is bound to. */
  readonly addr: Deno.Addr;
  readonly #conn: Deno.DatagramConn;
  readonly #waker: Deno.DatagramConn;
  readonly #file: SocketFile;
  #receive: Waiting<Received> | undefined;
  readonly #sends: WaitingSend[] = [];
  #state: "idle" | "sending" | "receiving" | "waking" = "idle";

  /**
   * Binds.
   *
   * @param path The path of the socket.
   * @throws {SocketError} If the path is too long.
   * @throws {Error} What Deno throws if it cannot.
   */
  constructor(path: string) {
    encodePath(path, { reserve: WAKER_SUFFIX.length });
    this.#conn = listen(path);
    this.addr = this.#conn.addr;
    this.#file = new SocketFile(path);
    try {
      this.#waker = listen(path + WAKER_SUFFIX);
      // The path only marks wake-ups as such: nobody needs to reach the waker.
      new SocketFile(path + WAKER_SUFFIX).remove();
    } catch (error) {
      this.#conn.close();
      this.#file.remove();
      throw error;
    }
  }

  /** Receives one datagram into `data`. */
  receive(data: Uint8Array): Promise<Received> {
    return new Promise((resolve, reject) => {
      this.#receive = { data, resolve, reject };
      this.#next();
    });
  }

  /** Sends one datagram. */
  send(data: Uint8Array, to: Deno.Addr): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#sends.push({ data, to, resolve, reject });
      if (this.#state !== "receiving") return this.#next();
      this.#state = "waking";
      // If waking fails, the next datagram that arrives ends the receive.
      this.#waker.send(WAKE, this.addr).catch(() => {});
    });
  }

  /** Closes both sockets and removes the file. */
  close(): void {
    closeQuietly(this.#conn);
    closeQuietly(this.#waker);
    this.#file.remove();
  }

  /** Begins the next operation, unless one is under way; sends go first. */
  #next(): void {
    if (this.#state !== "idle") return;
    const send = this.#sends.shift();
    if (send !== undefined) {
      this.#state = "sending";
      this.#conn.send(send.data, send.to)
        .finally(() => this.#state = "idle")
        .then(send.resolve, send.reject)
        .then(() => this.#next());
      return;
    }
    const receive = this.#receive;
    if (receive === undefined) return;
    this.#state = "receiving";
    this.#conn.receive(receive.data)
      .finally(() => this.#state = "idle")
      .then((received) => {
        if (this.#isWake(received[1])) return;
        this.#receive = undefined;
        receive.resolve(received);
      }, (error) => {
        this.#receive = undefined;
        receive.reject(error);
      })
      .then(() => this.#next());
  }

  #isWake(from: Deno.Addr): boolean {
    return "path" in from &&
      from.path === (this.#waker.addr as Deno.UnixAddr).path;
  }
}

function listen(path: string): Deno.DatagramConn {
  return bindPrivately(() =>
    Deno.listenDatagram({ transport: "unixpacket", path })
  );
}
