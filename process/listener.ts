/**
 * One listening port: its TCP and its UDP side, from first to last.
 *
 * @module
 */

import type { Mode } from "../config/mod.ts";
import type { Resolver } from "../dns/mod.ts";
import { type EventLoop, SocketAddress, SocketError } from "../loop/mod.ts";
import {
  type Inbound,
  type PacketInbound,
  type RelayBuffers,
  type Router,
  type Sessions,
  type Status,
  TCPRelay,
  UDPRelay,
} from "../relay/mod.ts";

/** What all listeners of a loop share. */
export interface ListenerContext {
  /** Runs the relays. */
  readonly loop: EventLoop;
  /** Looks names up. */
  readonly resolver: Resolver;
  /** The buffers of the loop. */
  readonly buffers: RelayBuffers;
  /** Begins the sessions. */
  readonly sessions: Sessions;
  /** Lets several loops share the port (one in each worker). */
  readonly reusePort: boolean;
}

/** What a {@linkcode Listener} is made with. */
export interface ListenerOptions {
  /** Where it listens; port 0 lets the system choose. */
  readonly address: SocketAddress;
  /** Whether it leaves IPv4 to another listener of the port. */
  readonly ipv6Only?: boolean;
  /** What sessions call it; see `ListenerInfo` of relay/. */
  readonly protocol: string;
  /** Which networks are relayed. */
  readonly mode: Mode;
  /** What its connections speak. */
  readonly inbound: Inbound;
  /** What its datagrams mean, owned; undefined: it has no UDP. */
  readonly packets: PacketInbound | undefined;
  /**
   * True if UDP needs the TCP side even where only UDP is relayed: SOCKS5 asks
   * for an association by a connection.
   */
  readonly udpNeedsTcp: boolean;
  /** Decides where sessions go. */
  readonly router: Router;
  /** Idle seconds after which a connection ends. */
  readonly timeout: number;
  /** Idle seconds after which an association ends. */
  readonly udpTimeout: number;
  /** Most associations at once. */
  readonly maxAssociations: number;
  /** Whether the listener takes TCP fast open. */
  readonly fastOpen: boolean;
  /** What ends with the listener, such as its ciphers. */
  readonly resource: Disposable | undefined;
}

/** How often a port that is free for TCP and UDP is looked for. */
const CHOOSE_ATTEMPTS = 16;

/** The relays of one port. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #loop: EventLoop;
  readonly #tcp: TCPRelay | undefined;
  readonly #udp: UDPRelay | undefined;
  #ended = false;

  /**
   * Listens; what comes waits in the system for {@linkcode Listener.begin}.
   *
   * @param options What it is made with; packets and resource are disposed of
   * also if this fails.
   * @param context What it shares with others.
   * @throws {SocketError} If the address cannot be bound.
   */
  constructor(options: ListenerOptions, context: ListenerContext) {
    this.#options = options;
    this.#loop = context.loop;
    try {
      [this.#tcp, this.#udp] = listen(options, context);
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  /** Begins to relay. */
  begin(): void {
    this.#udp?.addToLoop(this.#loop);
    this.#tcp?.addToLoop(this.#loop);
  }

  /** The address it listens on, with the port the system chose. */
  get address(): SocketAddress {
    const port = (this.#tcp ?? this.#udp)!.listenPort;
    return new SocketAddress(this.#options.address.bytes, port);
  }

  /**
   * Stops listening. Open connections go on; UDP associations end.
   *
   * @param onEnd Called once when the last connection has ended.
   */
  close(onEnd: () => void): void {
    let isListening = true;
    let isIdle = this.#tcp === undefined;
    const end = (): void => {
      isIdle = true;
      if (isListening || this.#ended) return;
      this.#end();
      onEnd();
    };
    this.#udp?.close();
    this.#tcp?.close(end);
    isListening = false;
    if (isIdle) end();
  }

  /**
   * Stops listening and ends every connection.
   *
   * @param status How the sessions end.
   */
  destroy(status: Status = "shutdown"): void {
    // First, or associations would end ok with the connections that hold them.
    this.#udp?.close(status);
    this.#tcp?.destroy(status);
    this.#end();
  }

  /** The networks that it relays: `TCP`, `UDP`. */
  get networks(): readonly ("TCP" | "UDP")[] {
    const networks: ("TCP" | "UDP")[] = [];
    if (this.#tcp !== undefined) networks.push("TCP");
    if (this.#udp !== undefined) networks.push("UDP");
    return networks;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.packets?.[Symbol.dispose]();
    this.#options.resource?.[Symbol.dispose]();
  }
}

/** Makes the relays; a port that the system chooses suits both. */
function listen(
  options: ListenerOptions,
  context: ListenerContext,
): [TCPRelay | undefined, UDPRelay?] {
  for (let attempt = 1;; attempt++) {
    try {
      return tryListen(options, context);
    } catch (error) {
      const isChosen = options.address.port === 0 &&
        error instanceof SocketError && error.code === "EADDRINUSE";
      if (!isChosen || attempt === CHOOSE_ATTEMPTS) throw error;
    }
  }
}

function tryListen(
  options: ListenerOptions,
  context: ListenerContext,
): [TCPRelay | undefined, UDPRelay?] {
  const { address, protocol, mode, packets, udpNeedsTcp, ipv6Only } = options;
  const { poller } = context.loop;
  const shared = { ...context, protocol, poller, ipv6Only };
  const { router, timeout, udpTimeout, maxAssociations } = options;
  const udp = mode === "tcp_only" || packets === undefined
    ? undefined
    : new UDPRelay({
      ...shared,
      listen: address,
      inbound: packets,
      router,
      timeout: udpTimeout,
      maxAssociations,
    });
  if (udp !== undefined && mode === "udp_only" && !udpNeedsTcp) {
    return [undefined, udp];
  }
  try {
    const tcp = new TCPRelay({
      ...shared,
      listen: udp === undefined
        ? address
        : new SocketAddress(address.bytes, udp.listenPort),
      inbound: options.inbound,
      router,
      timeout,
      fastOpen: options.fastOpen,
      udpRelay: udp,
    });
    return udp === undefined ? [tcp] : [tcp, udp];
  } catch (error) {
    udp?.close();
    throw error;
  }
}
