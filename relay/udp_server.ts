/**
 * Where a server is that datagrams go to: the addresses of its name, and the
 * one of them that is used.
 *
 * The name is looked up again as its time to live says, so that a server that
 * moves is found by those who keep sending. An address is left for the next one
 * when it cannot be sent to, or when it is silent to everybody: while others
 * are answered, it is a target that is silent.
 *
 * @module
 */

import type { DnsAnswer, Resolver } from "../dns/mod.ts";
import { SocketAddress } from "../loop/mod.ts";
import { ANSWER_TIMEOUT } from "./constants.ts";
import type { Target } from "./target.ts";

/**
 * Milliseconds between two questions about a name, which the resolver answers
 * from its cache: no answer is kept there for less than a second.
 */
const RENEWAL_INTERVAL = 1000;

/** Sends datagrams: an association, as a {@linkcode UDPServer} sees it. */
export interface DatagramSender {
  /** Sends one; false: it is known at once that it was not sent. */
  sendTo(data: Uint8Array, address: SocketAddress): boolean;
  /** Sends one by itself, and says so if it fails later. */
  sendAlone(
    data: Uint8Array,
    address: SocketAddress,
    onFailed: (data: Uint8Array) => void,
  ): boolean;
}

/** One server, for all associations of a listener. */
export class UDPServer {
  readonly #target: Target;
  #addresses: readonly SocketAddress[] = [];
  /** Which of them is used. */
  #index = 0;
  /** Whether the address in use has answered. */
  #hasAnswered = false;
  /** Milliseconds of the oldest datagram since its last answer; 0: none. */
  #unansweredSince = 0;
  /** Milliseconds of the last question about the name. */
  #askedAt = -Infinity;
  #isAsking = false;

  /**
   * Makes a server.
   *
   * @param target Its address, or its name.
   */
  constructor(target: Target) {
    this.#target = target;
    if (target.address !== undefined) this.#addresses = [target.address];
  }

  /** The address in use; undefined: none is known yet. */
  get address(): SocketAddress | undefined {
    return this.#addresses[this.#index];
  }

  /**
   * Takes the first answer about the name; later ones change nothing.
   *
   * @param answer Has addresses.
   * @param now Milliseconds of the loop's clock.
   */
  learn({ addresses, isPartial }: DnsAnswer, now: number): void {
    if (this.address !== undefined) return;
    // Of a part the rest is asked for with the next datagram.
    if (isPartial !== true) this.#askedAt = now;
    this.#update(addresses);
  }

  /**
   * Looks the name up again if that is due; the address in use stays meanwhile.
   *
   * @param resolver Looks it up.
   * @param now Milliseconds of the loop's clock.
   */
  renew(resolver: Resolver, now: number): void {
    const { address, domain } = this.#target;
    if (address !== undefined || this.#isAsking) return;
    if (now - this.#askedAt < RENEWAL_INTERVAL) return;
    this.#askedAt = now;
    this.#isAsking = true;
    resolver.resolve(domain, ({ addresses }) => {
      this.#isAsking = false;
      // Without an answer what was known goes on.
      if (addresses.length > 0) this.#update(addresses);
    }, { isWhole: true });
  }

  /**
   * Sends a datagram to the address in use, or to the next one that takes it.
   *
   * @param data The datagram.
   * @param association Whose it is.
   * @param now Milliseconds of the loop's clock.
   */
  send(data: Uint8Array, association: DatagramSender, now: number): void {
    const { length } = this.#addresses;
    const since = this.#unansweredSince;
    if (length > 1 && since !== 0 && now - since >= ANSWER_TIMEOUT) {
      this.#use((this.#index + 1) % length);
    }
    if (this.#unansweredSince === 0) this.#unansweredSince = now;
    if (length > 1 && !this.#hasAnswered) this.#try(data, association, length);
    else if (this.address !== undefined) {
      association.sendTo(data, this.address);
    }
  }

  /**
   * Notes who an authentic answer came from.
   *
   * @param from Who has sent it.
   */
  answered(from: SocketAddress): void {
    if (this.address?.key !== from.key) return;
    this.#hasAnswered = true;
    this.#unansweredSince = 0;
  }

  /**
   * Tells whether an address is one of the server's.
   *
   * @param from The address.
   */
  has(from: SocketAddress): boolean {
    if (this.address?.key === from.key) return true;
    return this.#addresses.length > 1 &&
      this.#addresses.some(({ key }) => key === from.key);
  }

  /** Sends to the first address, from the one in use on, that takes it. */
  #try(data: Uint8Array, association: DatagramSender, left: number): void {
    for (let i = left; i > 0; i--) {
      const { address } = this;
      if (address === undefined) return;
      const onFailed = (copy: Uint8Array): void => {
        if (this.address === address) this.#useNext();
        this.#try(copy, association, i - 1);
      };
      if (association.sendAlone(data, address, onFailed)) return;
      this.#useNext();
    }
  }

  #update(addresses: readonly Uint8Array[]): void {
    const before = this.address;
    this.#addresses = this.#target.placesAt(addresses);
    const index = this.#addresses.findIndex(({ key }) => key === before?.key);
    if (index >= 0) this.#index = index;
    else this.#use(0);
  }

  #useNext(): void {
    const since = this.#unansweredSince;
    this.#use((this.#index + 1) % this.#addresses.length);
    this.#unansweredSince = since;
  }

  #use(index: number): void {
    this.#index = index;
    this.#hasAnswered = false;
    this.#unansweredSince = 0;
  }
}
