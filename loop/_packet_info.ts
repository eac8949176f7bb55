/**
 * To which of our addresses a datagram was sent, and from which one another is
 * to leave: the control messages IP_PKTINFO and IPV6_PKTINFO of Linux
 * (ip(7), RFC 3542 section 6).
 *
 * ```text
 * header        len(8) level(4) type(4)
 * in_pktinfo    interface(4) our address(4) address in the packet(4)
 * in6_pktinfo   address(16) interface(4)
 * ```
 *
 * An IPv6 socket has the second form for IPv4 too, with mapped addresses.
 *
 * @module
 */

import { SocketAddress } from "./address.ts";
import type { Recipient } from "./socket.ts";

/** 32-bit words of the longer message, padded to a multiple of 8 bytes. */
export const INFO_WORDS = 10;

const HEADER_WORDS = 4;
const LEVEL_WORD = 2;
const TYPE_WORD = 3;
/** Words of the two forms, without the padding behind them. */
const V4_WORDS = HEADER_WORDS + 3;
const V6_WORDS = HEADER_WORDS + 5;
const V4_ADDRESS_WORD = HEADER_WORDS + 1;
const V6_ADDRESS_WORD = HEADER_WORDS;
const V6_INTERFACE_WORD = V6_ADDRESS_WORD + 4;
const WORD = 4;

/** Level and type of the messages, and the options that ask for them. */
const IPPROTO_IP = 0;
const IP_PKTINFO = 8;
const IPPROTO_IPV6 = 41;
const IPV6_RECVPKTINFO = 49;
const IPV6_PKTINFO = 50;

/** The option that has a socket of IPv4 told. */
export const ASK_V4 = { level: IPPROTO_IP, name: IP_PKTINFO } as const;
/** The option that has a socket of IPv6 told. */
export const ASK_V6 = { level: IPPROTO_IPV6, name: IPV6_RECVPKTINFO } as const;

/** One of our addresses, as the system takes it. */
export class PacketInfo implements Recipient {
  /**
   * The message that has a datagram leave from the address; as many words as
   * the padded form has.
   */
  readonly control: Uint32Array;

  /**
   * Keeps a message.
   *
   * @param control Owned from now on.
   */
  constructor(control: Uint32Array) {
    this.control = control;
  }

  /** The address; its port is 0. */
  get address(): SocketAddress {
    const { control } = this;
    const bytes = new Uint8Array(control.buffer, control.byteOffset);
    return control[LEVEL_WORD] === IPPROTO_IP
      ? SocketAddress.fromIpv4(bytes, V4_ADDRESS_WORD * WORD, 0)
      : SocketAddress.fromIpv6(bytes, V6_ADDRESS_WORD * WORD, 0);
  }
}

/** Reads messages that the system has filled in. */
export class PacketInfoReader {
  #last: PacketInfo | undefined;

  /**
   * Reads one message. Equal addresses, one after the other, give the same
   * object.
   *
   * @param words Holds it.
   * @param at Where it begins.
   * @param length Its bytes, 0 if there is none.
   * @returns Where the datagram was sent to; undefined: not to one address of
   * ours alone, such as a group.
   */
  read(words: Uint32Array, at: number, length: number): PacketInfo | undefined {
    if (length < V4_WORDS * WORD) return undefined;
    const last = this.#last?.control;
    if (words[at + LEVEL_WORD] === IPPROTO_IP) {
      const address = words[at + V4_ADDRESS_WORD]!;
      if (
        last?.[LEVEL_WORD] === IPPROTO_IP && last[V4_ADDRESS_WORD] === address
      ) return this.#last;
      const control = new Uint32Array(V4_WORDS + 1);
      control[0] = V4_WORDS * WORD;
      control[TYPE_WORD] = IP_PKTINFO;
      control[V4_ADDRESS_WORD] = address;
      return this.#last = new PacketInfo(control);
    }
    if (length < V6_WORDS * WORD) return undefined;
    const address = at + V6_ADDRESS_WORD;
    if (last?.[LEVEL_WORD] === IPPROTO_IPV6 && isSame(last, words, address)) {
      return this.#last;
    }
    const first = words[address]! & 0xff;
    if (first === 0xff) return undefined;
    const control = new Uint32Array(INFO_WORDS);
    control[0] = V6_WORDS * WORD;
    control[LEVEL_WORD] = IPPROTO_IPV6;
    control[TYPE_WORD] = IPV6_PKTINFO;
    control.set(
      words.subarray(address, address + 4),
      V6_ADDRESS_WORD,
    );
    // fe80::/10 means another machine on each network; elsewhere the route
    // decides which interface a datagram leaves by.
    const isLinkLocal = first === 0xfe &&
      (words[address]! >>> 8 & 0xc0) === 0x80;
    if (isLinkLocal) {
      control[V6_INTERFACE_WORD] = words[at + V6_INTERFACE_WORD]!;
    }
    return this.#last = new PacketInfo(control);
  }
}

/** Whether a message has the address that stands in `words`. */
function isSame(
  control: Uint32Array,
  words: Uint32Array,
  address: number,
): boolean {
  return control[V6_ADDRESS_WORD] === words[address] &&
    control[V6_ADDRESS_WORD + 1] === words[address + 1] &&
    control[V6_ADDRESS_WORD + 2] === words[address + 2] &&
    control[V6_ADDRESS_WORD + 3] === words[address + 3];
}
