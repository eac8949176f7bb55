/**
 * Opens one outbound: connects to its destination, and speaks with the proxies
 * in front of it until they have opened the rest.
 *
 * @module
 */

import {
  FAILED,
  POLL_ERR,
  POLL_HUP,
  POLL_IN,
  POLL_OUT,
  type Socket,
  type SocketAddress,
  type StreamSocket,
  type Timer,
} from "../loop/mod.ts";
import {
  Connector,
  type ConnectorContext,
  type ConnectorOwner,
} from "./connector.ts";
import { CONNECT_TIMEOUT } from "./constants.ts";
import type { OutboundHandshake, OutboundStream } from "./outbound.ts";
import { BLOCKED, type Failure } from "./status.ts";

/** Whom an {@linkcode Opener} works for. */
export interface OpenerOwner {
  /**
   * The name of the destination has no address; `onOpenFailed` comes next.
   * Logs why.
   *
   * @param reason The words of the resolver.
   */
  onUnresolved?(reason: string): void;
  /** Whether an address of the target itself is forbidden; logs why. */
  forbids(address: SocketAddress): boolean;
  /** A socket was made; its events are to come to `handleEvent`. */
  onSocket(socket: StreamSocket): void;
  /** A socket failed or is not needed: close it. */
  onSocketFailed(socket: StreamSocket): void;
  /** The destination is connected to; the handshake comes next, if any. */
  onReached(): void;
  /**
   * Payload can flow; the socket is the owner's.
   *
   * @param socket Connected.
   * @param rest Bytes that the far side has sent already; undefined: none.
   */
  onOpened(socket: StreamSocket, rest: Uint8Array | undefined): void;
  /**
   * Nothing was reached, and no socket is left. Its code may be, beside those
   * of the connect and of the handshake: `proxy-too-long`, a message of a proxy
   * has no end; `proxy-answer`, a proxy has answered before it was asked.
   */
  onOpenFailed(failure: Failure): void;
}

/** What an {@linkcode Opener} opens, and how. */
export interface OpenerOptions {
  /** The far side; not owned. */
  readonly stream: OutboundStream;
  /** What may leave with the SYN. */
  readonly fastOpenData?: Uint8Array | undefined;
  /**
   * Milliseconds that each address has to be connected to, and the proxies
   * together for the handshake. Default: 10 s.
   */
  readonly timeout?: number | undefined;
  /** For whom names are looked up. */
  readonly asker?: { readonly client: SocketAddress } | undefined;
}

/**
 * Most bytes of one read of a proxy's answer: most answers are shorter than a
 * tenth of it, and a longer one is read in pieces.
 */
const HANDSHAKE_READ = 4096;
/**
 * Most bytes that wait for the rest of a proxy's message. The longest that a
 * handshake leaves waiting is a SOCKS5 reply of 262 bytes (RFC 1928, section
 * 6); it consumes the head of an HTTP answer as that comes.
 */
const HANDSHAKE_LIMIT = 4096;

/** One attempt to open an outbound. */
export class Opener implements ConnectorOwner {
  readonly #context: ConnectorContext;
  readonly #owner: OpenerOwner;
  readonly #options: OpenerOptions;
  #connector: Connector | undefined;
  /** The connection to the first proxy, during the handshake. */
  #proxy: StreamSocket | undefined;
  /** What the proxies have sent and the handshake has not consumed. */
  #answer: Uint8Array | undefined;
  /** What is for the proxies and the socket has no room for yet. */
  #unsent: Uint8Array | undefined;
  /** Ends a handshake that takes too long. */
  #timer: Timer | undefined;

  /**
   * Makes an opener that does nothing yet.
   *
   * @param context What it works with.
   * @param owner Told what happens.
   * @param options What is opened.
   */
  constructor(
    context: ConnectorContext,
    owner: OpenerOwner,
    options: OpenerOptions,
  ) {
    this.#context = context;
    this.#owner = owner;
    this.#options = options;
  }

  /** Begins; without a destination it fails at once. */
  start(): void {
    const { stream: { destination }, fastOpenData, timeout, asker } =
      this.#options;
    if (destination === undefined) {
      this.#owner.onOpenFailed(BLOCKED);
      return;
    }
    this.#connector = new Connector(this.#context, this, {
      fastOpenData,
      timeout,
      asker,
    });
    this.#connector.start(destination);
  }

  /**
   * Takes an event of a socket that is not open yet.
   *
   * @param socket The socket.
   * @param event A mask of `POLL_*`.
   */
  handleEvent(socket: Socket, event: number): void {
    const proxy = this.#proxy;
    if (proxy === undefined || socket !== proxy) {
      this.#connector?.handleEvent(socket, event);
      return;
    }
    if ((event & (POLL_ERR | POLL_HUP)) !== 0 && (event & POLL_IN) === 0) {
      this.#failServer(socket.takeError() || "ECONNRESET");
      return;
    }
    if ((event & POLL_OUT) !== 0 && this.#unsent !== undefined) {
      this.#write(proxy, this.#unsent);
    }
    // After a failed write there is nothing to read any more.
    if ((event & POLL_IN) !== 0 && this.#proxy === proxy) this.#read(proxy);
  }

  /** Gives up and closes its sockets; nobody is told anything any more. */
  cancel(): void {
    this.#timer?.cancel();
    this.#connector?.cancel();
    this.#connector = undefined;
    if (this.#proxy !== undefined) this.#owner.onSocketFailed(this.#proxy);
    this.#proxy = undefined;
  }

  /** Passes on which name has no address. */
  onUnresolved(reason: string): void {
    this.#owner.onUnresolved?.(reason);
  }

  /** Asks about the addresses of the target itself, never of a server. */
  forbids(address: SocketAddress): boolean {
    return this.#options.stream.isDirect && this.#owner.forbids(address);
  }

  /** A socket was made. */
  onSocket(socket: StreamSocket): void {
    this.#owner.onSocket(socket);
  }

  /** A socket failed. */
  onSocketFailed(socket: StreamSocket): void {
    this.#owner.onSocketFailed(socket);
  }

  /** Begins the handshake, or is done. */
  onConnected(socket: StreamSocket): void {
    this.#connector = undefined;
    this.#owner.onReached();
    const { stream: { handshake }, timeout } = this.#options;
    if (handshake === undefined) {
      this.#owner.onOpened(socket, undefined);
      return;
    }
    const { loop, handler } = this.#context;
    this.#proxy = socket;
    this.#timer = loop.addTimer(
      timeout ?? CONNECT_TIMEOUT,
      () => this.#failServer("ETIMEDOUT"),
    );
    if (!loop.modify(socket, POLL_IN)) loop.add(socket, POLL_IN, handler);
    this.#send(socket, handshake.start());
  }

  /** No address could be connected to: the target's fault, or a server's. */
  onConnectFailed(failure: Failure): void {
    this.#connector = undefined;
    if (this.#options.stream.isDirect) this.#fail(failure);
    else this.#failServer(failure.code);
  }

  #failServer(code: string): void {
    this.#fail({ status: "server_failed", code });
  }

  #fail(failure: Failure): void {
    this.cancel();
    this.#owner.onOpenFailed(failure);
  }

  /** Sends bytes behind those that wait for room. */
  #send(proxy: StreamSocket, bytes: Uint8Array): void {
    const before = this.#unsent;
    if (before === undefined) {
      this.#write(proxy, bytes);
      return;
    }
    this.#unsent = new Uint8Array(before.length + bytes.length);
    this.#unsent.set(before);
    this.#unsent.set(bytes, before.length);
  }

  #write(proxy: StreamSocket, bytes: Uint8Array): void {
    const sent = proxy.send(bytes);
    if (sent === FAILED) {
      this.#failServer(proxy.error);
      return;
    }
    const isWhole = sent === bytes.length;
    this.#unsent = isWhole ? undefined : bytes.slice(Math.max(0, sent));
    this.#context.loop.modify(proxy, isWhole ? POLL_IN : POLL_IN | POLL_OUT);
  }

  #read(proxy: StreamSocket): void {
    const { handshake } = this.#options.stream;
    if (handshake === undefined) return;
    const before = this.#answer;
    const start = before?.length ?? 0;
    const buffer = new Uint8Array(start + HANDSHAKE_READ);
    if (before !== undefined) buffer.set(before);
    const count = proxy.recv(buffer, start);
    if (count === 0 || count === FAILED) {
      this.#failServer(proxy.error || "ECONNRESET");
    } else if (count > 0) {
      this.#onAnswer(proxy, handshake, buffer.subarray(0, start + count));
    }
  }

  /** Gives the handshake what has come, until it needs more or is done. */
  #onAnswer(
    proxy: StreamSocket,
    handshake: OutboundHandshake,
    data: Uint8Array,
  ): void {
    let rest = data;
    for (;;) {
      const answer = handshake.receive(rest);
      if (answer.kind === "failed") {
        this.#fail(answer.failure);
        return;
      }
      rest = rest.subarray(answer.consumed);
      if (answer.kind === "ready") {
        if (this.#unsent !== undefined) {
          // Nobody can have understood what was not sent in full.
          this.#failServer("proxy-answer");
          return;
        }
        this.#timer?.cancel();
        this.#proxy = undefined;
        this.#owner.onOpened(proxy, rest.length > 0 ? rest : undefined);
        return;
      }
      if (answer.send !== undefined) this.#send(proxy, answer.send);
      if (this.#proxy !== proxy) return;
      if (answer.consumed === 0 || rest.length === 0) break;
    }
    this.#answer = rest.length > 0 ? rest : undefined;
    if (rest.length > HANDSHAKE_LIMIT) this.#failServer("proxy-too-long");
  }
}
