/**
 * The socket that a manager is controlled through: datagrams over UDP, or over
 * a unix socket that its owner alone can use.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { listenAddress, type Resolver } from "../dns/mod.ts";
import {
  type DatagramSocket,
  type EventHandler,
  type EventLoop,
  formatHostPort,
  isLoopbackIp,
  POLL_ERR,
  POLL_HUP,
  POLL_IN,
  type Recipient,
  removeStaleSocket,
  type Socket,
} from "../loop/mod.ts";
import { MAX_REQUEST } from "./manager_request.ts";

/** Where a manager listens. */
export type ControlAddress =
  | { readonly host: string; readonly port: number }
  | { readonly path: string };

/** Who sent a datagram. */
export interface ControlClient {
  /**
   * Sends an answer; it may be lost, as datagrams are.
   *
   * @param text The answer.
   */
  send(text: string): void;
}

/** What a control socket needs. */
export interface ControlOptions {
  /** Runs it. */
  readonly loop: EventLoop;
  /** Looks the name of the address up. */
  readonly resolver: Resolver;
  /** Takes each datagram; one byte too long if it was cut. Not kept. */
  readonly onRequest: (data: Uint8Array, client: ControlClient) => void;
}

/** An open control socket. */
export interface ControlSocket {
  /** Where it listens, for log lines. */
  readonly name: string;
  /** Closes it. */
  close(): void;
}

/** Most datagrams read at one event, so that others get their turn. */
const READ_BATCH = 64;

const logger = getLogger(["shadowsocks", "manager"]);
const encoder = new TextEncoder();

/**
 * Opens a control socket. The file of a unix socket has mode 0600; one that
 * nobody listens on any more is replaced.
 *
 * @param address Where.
 * @param options What it needs.
 * @returns The socket.
 * @throws {SocketError} If the address cannot be bound.
 */
export async function openControlSocket(
  address: ControlAddress,
  options: ControlOptions,
): Promise<ControlSocket> {
  const { poller } = options.loop;
  if ("path" in address) {
    const { path } = address;
    if (await removeStaleSocket(path)) {
      logger.info("removed {path}, which nobody listened on", { path });
    }
    return new Control(poller.bindUnixDatagram(path), path, options);
  }
  const where = await listenAddress(address, options.resolver);
  const socket = poller.bindUdp(where, { tellsRecipient: true });
  const { host, port } = socket.localAddress;
  const name = formatHostPort({ host, port });
  if (!isLoopbackIp(where.bytes)) {
    logger.warn(
      "the manager listens on {name}: who can send there can open ports; " +
        "use 127.0.0.1 or the path of a unix socket",
      { name },
    );
  }
  return new Control(socket, name, options);
}

class Control<A> implements EventHandler, ControlSocket {
  readonly name: string;
  readonly #socket: DatagramSocket<A>;
  readonly #options: ControlOptions;
  readonly #buffer = new Uint8Array(MAX_REQUEST + 1);

  constructor(
    socket: DatagramSocket<A>,
    name: string,
    options: ControlOptions,
  ) {
    this.name = name;
    this.#socket = socket;
    this.#options = options;
    options.loop.add(socket, POLL_IN | POLL_ERR, this);
  }

  handleEvent(_socket: Socket, _fd: number, event: number): void {
    const socket = this.#socket;
    if ((event & POLL_ERR) !== 0) {
      // An answer did not find its client; the next one may. With POLL_HUP the
      // poller cannot watch the socket: no request will be heard.
      const isLost = (event & POLL_HUP) !== 0;
      logger[isLost ? "error" : "debug"]("control socket: {code}", {
        code: socket.takeError(),
      });
    }
    if ((event & POLL_IN) === 0) return;
    for (let i = 0; i < READ_BATCH && !socket.closed; i++) {
      const length = socket.recvFrom(this.#buffer);
      if (length < 0) return;
      const { sender, recipient } = socket;
      this.#options.onRequest(this.#buffer.subarray(0, length), {
        send: (text) => this.#send(text, sender, recipient),
      });
    }
  }

  close(): void {
    this.#options.loop.remove(this.#socket);
    this.#socket.close();
  }

  #send(text: string, to: A, from: Recipient | undefined): void {
    if (this.#socket.closed) return;
    if (this.#socket.sendTo(encoder.encode(text), to, from) >= 0) return;
    logger.debug("cannot answer {client}: {code}", {
      client: `${to}`,
      code: this.#socket.error,
    });
  }
}
