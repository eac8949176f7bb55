/**
 * A datagram socket over `Deno.listenDatagram`: one receive under way, a few
 * datagrams received ahead; one send under way, since several may overtake
 * each other, and a bounded queue behind it.
 *
 * @module
 */

import { type SocketAddress, UNSPECIFIED } from "./address.ts";
import { errorCode } from "./_deno_errors.ts";
import {
  closeQuietly,
  DenoSocket,
  fromDenoAddress,
  type SocketHub,
} from "./_deno_socket.ts";
import { POLL_ERR, POLL_IN, POLL_OUT } from "./events.ts";
import { type DatagramSocket, WOULD_BLOCK } from "./socket.ts";
import { UnixAddress } from "./unix.ts";

/**
 * Most datagrams received before the handler takes them, so that some are there
 * when it comes; each holds a medium buffer.
 */
const RECEIVE_AHEAD = 16;
/** Most datagrams of one socket that wait to be sent, as of the epoll poller. */
const SEND_AHEAD = 64;
/** Bytes that wait to be sent from which on no further datagram is taken. */
const SEND_AHEAD_BYTES = 262_144;
/** Largest payload over IPv4: 65,535 less the IP and UDP headers. */
const MAX_PAYLOAD_IPV4 = 65_507;
/** Largest payload over IPv6: 65,535 less the UDP header (RFC 8200). */
const MAX_PAYLOAD_IPV6 = 65_527;
/**
 * Failures of a receive that only say that an earlier datagram was lost: some
 * systems report there what ICMP has answered.
 */
const LOST = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "EINTR",
  "ENETUNREACH",
]);

/** The part of a connection of Deno that the socket works with. */
export interface DatagramConn {
  /** What it is bound to. */
  readonly addr: Deno.Addr;
  /** Receives one datagram into `buffer`. */
  receive(buffer: Uint8Array): Promise<[Uint8Array, Deno.Addr]>;
  /** Sends one datagram. */
  send(data: Uint8Array, to: Deno.Addr): Promise<number>;
  /** Ends it. */
  close(): void;
}

/** How addresses of one family look on both sides. */
export interface AddressForm<A> {
  /** Stands for a sender as long as there is none. */
  readonly unknown: A;
  /** Our form of an address of Deno. */
  read(address: Deno.Addr): A;
  /**
   * Deno's form of an address of ours, or the errno name that says why
   * `length` bytes cannot go there.
   */
  write(address: A, length: number): Deno.Addr | string;
}

/**
 * Internet addresses.
 *
 * @param local What the socket is bound to.
 * @returns Their form.
 */
export function udpForm(local: Deno.Addr): AddressForm<SocketAddress> {
  const isIpv6 = fromDenoAddress(local).family === 6;
  return {
    unknown: UNSPECIFIED,
    read: fromDenoAddress,
    write: (address, length) => {
      const isIpv4 = address.family === 4;
      if (!isIpv4 && !isIpv6) return "EAFNOSUPPORT";
      if (length > (isIpv4 ? MAX_PAYLOAD_IPV4 : MAX_PAYLOAD_IPV6)) {
        return "EMSGSIZE";
      }
      const hostname = isIpv4 && isIpv6
        ? `::ffff:${address.host}`
        : address.host;
      return { transport: "udp", hostname, port: address.port };
    },
  };
}

/** Names of unix sockets. */
export const UNIX_FORM: AddressForm<UnixAddress> = {
  unknown: new UnixAddress(""),
  // Deno has null where the type says text, for a socket without a name.
  read: (address) =>
    new UnixAddress("path" in address ? address.path ?? "" : ""),
  write: ({ path }) =>
    path === "" ? "EDESTADDRREQ" : { transport: "unixpacket", path },
};

/** A datagram received. */
interface Datagram {
  readonly buffer: Uint8Array;
  readonly length: number;
  readonly sender: Deno.Addr;
}

/** A datagram to be sent. */
interface Outgoing {
  readonly data: Uint8Array;
  readonly to: Deno.Addr;
  /** Hears that the system refuses it; absent: nobody does. */
  readonly onFailed?: ((data: Uint8Array) => void) | undefined;
}

/** The datagram socket of the `deno` poller. */
export class DenoDatagram<A> extends DenoSocket implements DatagramSocket<A> {
  /** Which of the three kinds it is. */
  readonly kind = "datagram";
  /** The bound address, with the port the system chose. */
  readonly localAddress: SocketAddress;
  readonly #conn: DatagramConn;
  readonly #form: AddressForm<A>;
  readonly #received: Datagram[] = [];
  #receiving: Uint8Array | undefined;
  /** What waits to be sent; the send of the first is under way. */
  #outgoing: Outgoing[] = [];
  #outgoingBytes = 0;
  #failure = "";
  #from: Deno.Addr | undefined;
  #sender: A;

  /**
   * Wraps a socket.
   *
   * @param hub The poller's hub.
   * @param conn Owned from now on.
   * @param form How its addresses look.
   */
  constructor(hub: SocketHub, conn: DatagramConn, form: AddressForm<A>) {
    super(hub);
    this.#conn = conn;
    this.#form = form;
    this.#sender = form.unknown;
    this.localAddress = fromDenoAddress(conn.addr);
  }

  /** Who sent the datagram received last. */
  get sender(): A {
    const from = this.#from;
    if (from !== undefined) {
      this.#from = undefined;
      this.#sender = this.#form.read(from);
    }
    return this.#sender;
  }

  /** Reads one datagram; see the contract. */
  recvFrom(buffer: Uint8Array): number {
    if (this.closed) return this.refuse("EBADF");
    const datagram = this.#received.shift();
    if (datagram === undefined) {
      return this.#failure === "" ? WOULD_BLOCK : this.refuse(this.takeError());
    }
    const length = Math.min(datagram.length, buffer.length);
    buffer.set(datagram.buffer.subarray(0, length));
    this.hub.buffers.give(datagram.buffer);
    this.#from = datagram.sender;
    return length;
  }

  /** Sends one datagram; see the contract. */
  sendTo(data: Uint8Array, address: A): number {
    return this.sendAlone(data, address);
  }

  /** Sends one datagram, and tells if that fails; see the contract. */
  sendAlone(
    data: Uint8Array,
    address: A,
    onFailed?: (data: Uint8Array) => void,
  ): number {
    if (this.closed) return this.refuse("EBADF");
    const { length } = data;
    const to = this.#form.write(address, length);
    if (typeof to === "string") return this.refuse(to);
    if (!this.#canSend()) return WOULD_BLOCK;
    this.#outgoingBytes += length;
    const count = this.#outgoing.push({ data: data.slice(), to, onFailed });
    if (count === 1) this.#sendFirst();
    return length;
  }

  /** Starts what its mask asks for. */
  pump(): void {
    if (
      this.#receiving !== undefined || this.#failure !== "" ||
      this.#received.length >= RECEIVE_AHEAD
    ) return;
    this.#receiving = this.hub.buffers.forDatagram();
    this.#conn.receive(this.#receiving).then(this.#onReceived, this.#onFailed);
  }

  /** Everything that holds now, as a mask of `POLL_*`. */
  readiness(): number {
    let mask = 0;
    if (this.#received.length > 0) mask |= POLL_IN;
    if (this.#canSend()) mask |= POLL_OUT;
    if (this.#failure !== "") mask |= POLL_IN | POLL_ERR;
    return mask;
  }

  /** Takes the pending error. */
  takeError(): string {
    const code = this.#failure;
    this.#failure = "";
    return code;
  }

  /** Closes once what `sendTo` took is sent. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.hub.closed(this);
    for (const { buffer } of this.#received.splice(0)) {
      this.hub.buffers.give(buffer);
    }
    if (this.#outgoing.length > 0) this.hub.linger(this);
    else closeQuietly(this.#conn);
  }

  /** Closes at once; bytes under way may be lost. */
  abandon(): void {
    this.#outgoing.length = 0;
    this.close();
    this.hub.lingered(this);
    closeQuietly(this.#conn);
  }

  #canSend(): boolean {
    return this.#outgoing.length < SEND_AHEAD &&
      this.#outgoingBytes < SEND_AHEAD_BYTES;
  }

  #sendFirst(): void {
    const { data, to } = this.#outgoing[0]!;
    this.#conn.send(data, to).then(this.#onSent, this.#onSendFailed);
  }

  #onSent = (): void => {
    const couldSend = this.#canSend();
    const sent = this.#outgoing.shift();
    if (sent === undefined) return;
    this.#outgoingBytes -= sent.data.length;
    if (this.#outgoing.length > 0) this.#sendFirst();
    else if (this.closed) this.abandon();
    if (!couldSend) this.hub.changed(this);
  };

  /** A datagram that cannot be sent is lost; the next ones may do better. */
  #onSendFailed = (error: unknown): void => {
    this.error = errorCode(error);
    const failed = this.#outgoing[0];
    this.#onSent();
    if (!this.closed) failed?.onFailed?.(failed.data);
  };

  #onReceived = ([data, sender]: [Uint8Array, Deno.Addr]): void => {
    const buffer = this.#takeReceiving();
    if (this.closed) return this.hub.buffers.give(buffer);
    this.#received.push({ buffer, length: data.length, sender });
    if (this.wants(POLL_IN)) this.pump();
    this.hub.changed(this);
  };

  #onFailed = (error: unknown): void => {
    this.hub.buffers.give(this.#takeReceiving());
    if (this.closed) return;
    const code = errorCode(error);
    if (!LOST.has(code)) this.#failure = code;
    this.hub.changed(this);
  };

  /** Takes the buffer of the receive that has ended. */
  #takeReceiving(): Uint8Array {
    const buffer = this.#receiving!;
    this.#receiving = undefined;
    return buffer;
  }
}
