/**
 * The datagrams of one association on the client's side in the 2022 edition;
 * see `_sip022_packets.ts`.
 *
 * @module
 */

import type { AeadKey, BlockKey } from "../crypto/mod.ts";
import { PacketWindow } from "./_packet_window.ts";
import { ANSWER, REQUEST, TYPE_LENGTH } from "./_sip022_head.ts";
import { PSK_HASH_LENGTH } from "./_sip022_keys.ts";
import {
  addressIn,
  ANSWER_FIXED,
  combine,
  hasId,
  HEADER_LENGTH,
  leastLength,
  newPacketWork,
  numberIn,
  openSeparate,
  openWhole,
  type PacketOpening,
  type PacketSealing,
  type PacketWork,
  sealBody,
  SESSION_LENGTH,
  TOO_LONG,
} from "./_sip022_packets.ts";
import type { Sip022Port } from "./_sip022_port.ts";
import { MAX_SKEW, skewOf, TIME_LENGTH } from "./_sip022_time.ts";
import {
  type ClientPackets,
  NOT_SENDABLE,
  type PacketBytes,
  type ServerRefusal,
} from "./edition.ts";

/**
 * Milliseconds after its last packet for which the session before the current
 * one is listened to; a third one has to wait for as long: the 60 s of SIP022,
 * and one since times are whole seconds. After that the time in a packet of a
 * forgotten session shows that it is old.
 */
const KEPT = 61_000;

/** A session of the server. */
interface ServerSession {
  readonly id: Uint8Array;
  /** Opens its packets; undefined: all packets have one key. */
  readonly key: AeadKey | undefined;
  readonly window: PacketWindow;
  /** Milliseconds of the clock when its last packet came. */
  usedAt: number;
}

/** The datagrams of one association. */
export class Sip022ClientPackets implements ClientPackets {
  skew: number | undefined;
  readonly #port: Sip022Port;
  readonly #work: PacketWork = newPacketWork();
  readonly #id = crypto.getRandomValues(new Uint8Array(SESSION_LENGTH));
  /** What requests are sealed with. */
  readonly #sealing: PacketSealing;
  readonly #opening: PacketOpening = {
    front: HEADER_LENGTH,
    fixed: ANSWER_FIXED,
    output: new Uint8Array(0),
  };
  /** Of the separate header, the first identity key's first; none: ChaCha. */
  readonly #headerKeys: readonly BlockKey[];
  #current: ServerSession | undefined;
  /** The server's session before, since packets of it may be on their way. */
  #before: ServerSession | undefined;

  /**
   * Makes the codec of one association.
   *
   * @param port What it shares with others.
   */
  constructor(port: Sip022Port) {
    const { blocks, packetCipher, keys } = port.setup;
    this.#port = port;
    this.#headerKeys = blocks === undefined
      ? []
      : keys.map((key) => blocks.importKey(key));
    this.#sealing = {
      work: this.#work,
      session: this.#id,
      id: 0,
      key: packetCipher === undefined
        ? port.sessionKey(port.psk, this.#id)
        : packetCipher.importKey(port.psk),
      headerKey: this.#headerKeys[0],
      type: REQUEST,
      client: undefined,
      identities: port.hashes.length * PSK_HASH_LENGTH,
    };
  }

  /**
   * Seals a datagram for the server.
   *
   * @param packet The payload, with an address header in front.
   * @param output Takes the sealed packet.
   * @returns Bytes in `output`, or `NOT_SENDABLE`.
   */
  seal(packet: PacketBytes, output: Uint8Array): number {
    const port = this.#port;
    const { hashes } = port;
    const sealed = sealBody(port, this.#sealing, packet, output);
    if (sealed === NOT_SENDABLE) return NOT_SENDABLE;
    this.#sealing.id++;
    for (let i = 0; i < hashes.length; i++) {
      combine(hashes[i]!, this.#work.header, port.identity);
      const at = HEADER_LENGTH + i * PSK_HASH_LENGTH;
      this.#headerKeys[i]!.encrypt(port.identity, 0, output, at);
    }
    return sealed;
  }

  /**
   * Opens an answer into `output`.
   *
   * @param packet What was received.
   * @param output Takes the address header and the payload.
   * @returns Why it is to be dropped; undefined: it is genuine.
   */
  open(packet: PacketBytes, output: Uint8Array): ServerRefusal | undefined {
    const work = this.#work;
    const { header, part } = work;
    const { bytes, start, end } = packet;
    const opening = this.#opening;
    opening.output = output;
    const headerKey = this.#headerKeys.at(-1);
    const isSeparate = headerKey !== undefined;
    if (end - start < leastLength(ANSWER_FIXED, isSeparate)) {
      return "auth_failed";
    }
    let session: ServerSession | undefined;
    let key: AeadKey | undefined;
    let at: number;
    if (isSeparate) {
      headerKey.decrypt(bytes, start, header, 0);
      session = this.#find(header);
      if (session?.window.has(numberIn(header)) === true) return "replay";
      key = session?.key ?? this.#keyOf(header);
      at = openSeparate(work, key, packet, opening);
    } else {
      at = openWhole(work, this.#sealing.key, packet, opening);
      if (at >= 0) session = this.#find(header);
    }
    const refused = at < 0
      ? at === TOO_LONG ? "error" : "auth_failed"
      : this.#problemOf(output, at);
    const bodyEnd = part.at + part.length;
    const address = refused === undefined
      ? addressIn(work, output, at + ANSWER_FIXED, bodyEnd)
      : undefined;
    const isTaken = address !== undefined && this.#take(header, session, key);
    if (!isTaken) {
      if (session === undefined) key?.[Symbol.dispose]();
      return refused ?? (address === undefined ? "error" : "replay");
    }
    packet.bytes = output;
    packet.head = work.look.offset;
    packet.start = packet.head + address.length;
    packet.end = bodyEnd;
    return undefined;
  }

  /** Wipes the keys. */
  [Symbol.dispose](): void {
    this.#sealing.key[Symbol.dispose]();
    for (const key of this.#headerKeys) key[Symbol.dispose]();
    this.#current?.key?.[Symbol.dispose]();
    this.#before?.key?.[Symbol.dispose]();
    this.#current = this.#before = undefined;
  }

  #keyOf(header: Uint8Array): AeadKey {
    const { psk } = this.#port;
    return this.#port.sessionKey(psk, header.slice(0, SESSION_LENGTH));
  }

  #find(header: Uint8Array): ServerSession | undefined {
    const current = this.#current;
    if (current !== undefined && hasId(current.id, header)) return current;
    const before = this.#before;
    return before !== undefined && hasId(before.id, header)
      ? before
      : undefined;
  }

  /** Notes an authentic packet; false: it came before, or must not come yet. */
  #take(
    header: Uint8Array,
    known: ServerSession | undefined,
    key: AeadKey | undefined,
  ): boolean {
    const number = numberIn(header);
    if (number < 0) return false;
    const now = this.#port.clock.passed();
    const session = known ?? this.#begin(header, key, now);
    if (session?.window.add(number) !== true) return false;
    session.usedAt = now;
    return true;
  }

  /** The server was started again, or has forgotten us. */
  #begin(
    header: Uint8Array,
    key: AeadKey | undefined,
    now: number,
  ): ServerSession | undefined {
    const before = this.#before;
    if (before !== undefined && now - before.usedAt < KEPT) return undefined;
    before?.key?.[Symbol.dispose]();
    this.#before = this.#current;
    return this.#current = {
      id: header.slice(0, SESSION_LENGTH),
      key,
      window: new PacketWindow(),
      usedAt: now,
    };
  }

  /** What is wrong with a body that is authentic; undefined: nothing. */
  #problemOf(output: Uint8Array, at: number): ServerRefusal | undefined {
    if (output[at] !== ANSWER) return "auth_failed";
    const timeAt = at + TYPE_LENGTH;
    const skew = skewOf(output, timeAt, this.#port.clock);
    if (Math.abs(skew) > MAX_SKEW) {
      this.skew = skew;
      return "skew";
    }
    const sessionAt = timeAt + TIME_LENGTH;
    return hasId(this.#id, output, sessionAt) ? undefined : "auth_failed";
  }
}
