/**
 * A listening TCP socket over `Deno.listen`: one accept under way, and
 * connections accepted ahead of its handler.
 *
 * @module
 */

import type { SocketAddress } from "./address.ts";
import { errorCode } from "./_deno_errors.ts";
import {
  closeQuietly,
  DenoSocket,
  fromDenoAddress,
  type SocketHub,
} from "./_deno_socket.ts";
import { DenoStream } from "./_deno_stream.ts";
import { POLL_IN } from "./events.ts";
import type { ListenerSocket, StreamSocket } from "./socket.ts";

/**
 * Most connections accepted before the handler takes them. Clients come in
 * bursts, and before version 2.9 Deno lets only 128 of them wait in the kernel.
 */
const ACCEPT_AHEAD = 256;

/** The listener of the `deno` poller. */
export class DenoListener extends DenoSocket implements ListenerSocket {
  /** Which of the three kinds it is. */
  readonly kind = "listener";
  /** The bound address, with the port the system chose. */
  readonly localAddress: SocketAddress;
  readonly #listener: Deno.TcpListener;
  readonly #accepted: Deno.TcpConn[] = [];
  #accepting = false;
  #failure = "";

  /**
   * Wraps a listener.
   *
   * @param hub The poller's hub.
   * @param listener Owned from now on.
   */
  constructor(hub: SocketHub, listener: Deno.TcpListener) {
    super(hub);
    this.#listener = listener;
    this.localAddress = fromDenoAddress(listener.addr);
  }

  /** Accepts one connection; see the contract. */
  accept(): StreamSocket | undefined {
    this.error = "";
    if (this.closed) {
      this.error = "EBADF";
      return undefined;
    }
    const { budget } = this.hub;
    if (this.#accepted.length > 0) {
      // Those that were accepted ahead are counted: the first leaves the others
      // where they are until there is room.
      if (budget.isShort) {
        this.error = "EMFILE";
        return undefined;
      }
      budget.open--;
      return new DenoStream(this.hub, this.#accepted.shift());
    }
    // The failure is told once: the next batch tries again if POLL_IN is still
    // asked for.
    this.error = this.#failure;
    this.#failure = "";
    this.hub.changed(this);
    return undefined;
  }

  /** Starts what its mask asks for. */
  pump(): void {
    if (
      this.#accepting || this.#failure !== "" ||
      this.#accepted.length >= ACCEPT_AHEAD ||
      (this.#accepted.length > 0 && this.hub.budget.isShort)
    ) return;
    this.#accepting = true;
    this.#listener.accept().then(this.#onAccepted, this.#onFailed);
  }

  /** Everything that holds now, as a mask of `POLL_*`. */
  readiness(): number {
    return this.#accepted.length > 0 || this.#failure !== "" ? POLL_IN : 0;
  }

  /** Takes the pending error. */
  takeError(): string {
    return "";
  }

  /** Closes it. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.hub.closed(this);
    closeQuietly(this.#listener);
    for (const conn of this.#accepted.splice(0)) {
      this.hub.budget.open--;
      closeQuietly(conn);
    }
  }

  /** Closes at once; bytes under way may be lost. */
  abandon(): void {
    this.close();
  }

  #onAccepted = (conn: Deno.TcpConn): void => {
    this.#accepting = false;
    if (this.closed) return closeQuietly(conn);
    this.#accepted.push(conn);
    this.hub.budget.open++;
    if (this.wants(POLL_IN)) this.pump();
    this.hub.changed(this);
  };

  #onFailed = (error: unknown): void => {
    this.#accepting = false;
    if (this.closed) return;
    this.#failure = errorCode(error);
    this.hub.changed(this);
  };
}
