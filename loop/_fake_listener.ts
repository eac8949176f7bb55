/**
 * For tests: a listening socket without a network.
 *
 * @module
 */

import type { SocketAddress } from "./address.ts";
import { FakeSocket } from "./_fake_socket.ts";
import type { FakeStream } from "./_fake_stream.ts";
import { POLL_ERR, POLL_IN } from "./events.ts";
import type { ListenOptions } from "./poller.ts";
import type { ListenerSocket, StreamSocket } from "./socket.ts";

/** What a {@linkcode FakeListener} is made of. */
export interface FakeListenerOptions {
  /** The address it is bound to. */
  readonly localAddress: SocketAddress;
  /** What `listenTcp` was asked for. */
  readonly asked: ListenOptions;
  /** Makes the connection of a client at `host`. */
  readonly accepted: (host: string) => FakeStream;
}

/** A listening socket; `arrive` is a client's connect. */
export class FakeListener extends FakeSocket implements ListenerSocket {
  /** It accepts connections. */
  readonly kind = "listener";
  /** What `listenTcp` was asked for. */
  readonly asked: ListenOptions;
  /** What every `accept` fails with, until it is `""` again. */
  acceptError = "";
  /** Set: the socket reports POLL_ERR. */
  broken = false;
  readonly #accepted: (host: string) => FakeStream;
  readonly #queue: FakeStream[] = [];

  /**
   * Makes the listener.
   *
   * @param fd Its descriptor.
   * @param options Its address, and the maker of connections.
   */
  constructor(fd: number, options: FakeListenerOptions) {
    super(fd, options.localAddress);
    this.asked = options.asked;
    this.#accepted = options.accepted;
  }

  /** Connections that nobody has accepted yet. */
  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * A client connects.
   *
   * @param host The client's IP address.
   * @returns The connection that `accept` will return; the test is the client.
   */
  arrive(host = "127.0.0.1"): FakeStream {
    const stream = this.#accepted(host);
    this.#queue.push(stream);
    return stream;
  }

  /**
   * Tells what the system would report.
   *
   * @returns A mask of `POLL_*`.
   */
  ready(): number {
    return (this.#queue.length > 0 ? POLL_IN : 0) |
      (this.broken ? POLL_ERR : 0);
  }

  /**
   * Accepts the client that has waited longest.
   *
   * @returns The connection, or undefined; see `ListenerSocket.accept`.
   */
  accept(): StreamSocket | undefined {
    this.error = this.acceptError;
    return this.acceptError === "" ? this.#queue.shift() : undefined;
  }
}
