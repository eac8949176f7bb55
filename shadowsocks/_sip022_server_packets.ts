/**
 * The datagrams of a listener in the 2022 edition; see `_sip022_packets.ts`.
 *
 * @module
 */

import type { AeadKey, BlockKey } from "../crypto/mod.ts";
import { parseAddress } from "../socks5/mod.ts";
import { ANSWER, REQUEST, TYPE_LENGTH } from "./_sip022_head.ts";
import { PSK_HASH_LENGTH } from "./_sip022_keys.ts";
import {
  addressIn,
  combine,
  HEADER_LENGTH,
  leastLength,
  newPacketWork,
  numberIn,
  openSeparate,
  openWhole,
  type PacketOpening,
  type PacketSealing,
  type PacketWork,
  REQUEST_FIXED,
  sealBody,
  SESSION_LENGTH,
  TOO_LONG,
} from "./_sip022_packets.ts";
import type { Sip022Port } from "./_sip022_port.ts";
import { type Sip022Session, Sip022Sessions } from "./_sip022_sessions.ts";
import { MAX_SKEW, skewOf } from "./_sip022_time.ts";
import type { Sip022User } from "./_sip022_users.ts";
import {
  NOT_SENDABLE,
  PACKET_ROOM,
  type PacketBytes,
  type PacketOpened,
  type PacketRefused,
  type RefusalReason,
  SEALED_IN_PLACE,
  type ServerPackets,
  type ServerRefusal,
} from "./edition.ts";

const AUTH_ERROR = refusal("auth_failed", "authentication error");
const BAD_HEADER = refusal("auth_failed", "invalid header");
const BAD_ADDRESS = refusal("error", "invalid address");
const NO_ROOM = refusal("error", "too long");
const REPLAY = refusal("replay", "replay");

/** What `seal` gets with the answer of a server behind this one. */
const PASSED_ON = Object.freeze({});

/** The datagrams of a listener. */
export class Sip022ServerPackets implements ServerPackets {
  readonly #port: Sip022Port;
  readonly #work: PacketWork = newPacketWork();
  /** What answers are sealed with; undefined before the first. */
  #sealing: PacketSealing | undefined;
  readonly #opening = newOpening(0);
  /** The same with an identity header. */
  readonly #openingOfUsers = newOpening(PSK_HASH_LENGTH);
  readonly #sessions: Sip022Sessions;
  /** Opens the header of requests; undefined: the method has none. */
  readonly #headerKey: BlockKey | undefined;
  /** Of all packets, where the method has no separate header. */
  readonly #packetKey: AeadKey | undefined;
  /** Of the headers of answers and of what is passed on, by user. */
  readonly #userKeys = new Map<Sip022User, BlockKey>();
  /** Seals the answers of the one session that is kept no more. */
  #lateKey:
    | { readonly session: Sip022Session; readonly key: AeadKey }
    | undefined;

  /**
   * Makes the codec of one listener.
   *
   * @param port What it shares with others.
   * @param associations How many there are at most.
   */
  constructor(port: Sip022Port, associations?: number) {
    const { blocks, packetCipher } = port.setup;
    this.#port = port;
    this.#sessions = new Sip022Sessions(
      () => port.clock.passed(),
      associations,
    );
    this.#headerKey = blocks?.importKey(port.psk);
    this.#packetKey = packetCipher?.importKey(port.psk);
  }

  /**
   * Opens a client's packet into `output`.
   *
   * @param packet What was received.
   * @param output Takes the address header and the payload.
   * @returns What it asks for, or why it is to be dropped.
   */
  open(packet: PacketBytes, output: Uint8Array): PacketOpened | PacketRefused {
    const port = this.#port;
    const work = this.#work;
    const { header, part } = work;
    const { bytes, start, end } = packet;
    const headerKey = this.#headerKey;
    const hasUsers = port.users !== undefined;
    const identities = hasUsers ? PSK_HASH_LENGTH : 0;
    const least = leastLength(
      REQUEST_FIXED,
      headerKey !== undefined,
      identities,
    );
    if (end - start < least) return AUTH_ERROR;
    const opening = hasUsers ? this.#openingOfUsers : this.#opening;
    opening.output = output;
    let user: Sip022User | undefined = port.nobody;
    let session: Sip022Session | undefined;
    let key: AeadKey | undefined;
    let at: number;
    if (headerKey !== undefined) {
      headerKey.decrypt(bytes, start, header, 0);
      if (hasUsers) user = this.#userOf(bytes, start + HEADER_LENGTH);
      if (user === undefined) return AUTH_ERROR;
      if (user.next !== undefined) {
        return this.#passOn(packet, user, user.next, output);
      }
      session = this.#sessions.find(header, user);
      // Before the packet is opened, which costs more.
      if (session?.window.has(numberIn(header)) === true) return REPLAY;
      key = session?.openKey ??
        port.sessionKey(user.key, header.slice(0, SESSION_LENGTH));
      at = openSeparate(work, key, packet, opening);
    } else {
      at = openWhole(work, this.#packetKey!, packet, opening);
      if (at >= 0) session = this.#sessions.find(header, user);
    }
    if (at < 0) {
      if (session === undefined) key?.[Symbol.dispose]();
      return at === TOO_LONG ? NO_ROOM : AUTH_ERROR;
    }
    const refused = this.#problemOf(output, at);
    const bodyEnd = part.at + part.length;
    const address = addressIn(work, output, at + REQUEST_FIXED, bodyEnd);
    const wrong = refused ?? (address === undefined ? BAD_ADDRESS : undefined);
    if (wrong !== undefined || address === undefined) {
      if (session === undefined) key?.[Symbol.dispose]();
      return wrong ?? BAD_ADDRESS;
    }
    const number = numberIn(header);
    const isKept = session !== undefined;
    session ??= this.#sessions.make(header, user, key);
    // The second is that of other workers, and of before a restart.
    if (
      number < 0 || !session.window.add(number) || !this.#isFresh(user)
    ) {
      if (!isKept) key?.[Symbol.dispose]();
      return REPLAY;
    }
    if (isKept) this.#sessions.use(session);
    else this.#sessions.keep(session);
    packet.bytes = output;
    packet.head = work.look.offset;
    packet.start = packet.head + address.length;
    packet.end = bodyEnd;
    return { key: session.text, user: user.name, state: session, address };
  }

  /**
   * Seals an answer.
   *
   * @param packet The payload, with an address header in front.
   * @param state The session that `open` gave.
   * @param output Takes the sealed packet.
   * @returns Bytes in `output`, or `NOT_SENDABLE`; `SEALED_IN_PLACE` if it is
   * that of a server behind this one.
   */
  seal(packet: PacketBytes, state: unknown, output: Uint8Array): number {
    if (state === undefined) return NOT_SENDABLE;
    // The server that has the user's key has sealed it.
    if (state === PASSED_ON) return SEALED_IN_PLACE;
    const session = state as Sip022Session;
    const { user, server, client } = session;
    this.#sessions.use(session);
    const isSeparate = this.#headerKey !== undefined;
    const key = isSeparate ? this.#sealKeyOf(session) : this.#packetKey!;
    const headerKey = isSeparate ? this.#userKeyOf(user) : undefined;
    const sealing = this.#sealing ??= newSealing(this.#work, session, key);
    sealing.session = server;
    sealing.id = session.next;
    sealing.key = key;
    sealing.headerKey = headerKey;
    sealing.client = client;
    const sealed = sealBody(this.#port, sealing, packet, output);
    if (sealed !== NOT_SENDABLE) session.next++;
    return sealed;
  }

  /** Wipes the keys and ends the sessions. */
  [Symbol.dispose](): void {
    this.#sessions[Symbol.dispose]();
    this.#lateKey?.key[Symbol.dispose]();
    this.#headerKey?.[Symbol.dispose]();
    this.#packetKey?.[Symbol.dispose]();
    this.#wipeUserKeys();
  }

  /**
   * Takes the identity header away, which has shown that the client knows this
   * server, and encrypts the separate header for the one behind it (SIP023).
   *
   * That is all that can be checked here: whoever knows this server's key can
   * take another's session ID, and number packets at will. So there is no
   * window, which one packet of a high number would close to its owner, and an
   * association belongs to its address; the server behind, to which packets of
   * another address then come from another port, sees whose they are.
   */
  #passOn(
    packet: PacketBytes,
    user: Sip022User,
    next: Uint8Array,
    output: Uint8Array,
  ): PacketOpened | PacketRefused {
    const { header, look } = this.#work;
    const headerAt = PACKET_ROOM + next.length;
    const bodyAt = headerAt + HEADER_LENGTH;
    const { bytes, start, end } = packet;
    const rest = bytes.subarray(start + HEADER_LENGTH + PSK_HASH_LENGTH, end);
    if (bodyAt + rest.length > output.length) return NO_ROOM;
    if (!this.#isFresh(user)) return REPLAY;
    output.set(next, PACKET_ROOM);
    this.#userKeyOf(user).encrypt(header, 0, output, headerAt);
    output.set(rest, bodyAt);
    look.offset = PACKET_ROOM;
    look.end = headerAt;
    const address = parseAddress(output, look);
    if (address.status !== "ok") return BAD_ADDRESS;
    packet.bytes = output;
    packet.head = PACKET_ROOM;
    packet.start = headerAt;
    packet.end = bodyAt + rest.length;
    return {
      key: undefined,
      user: user.name,
      state: PASSED_ON,
      passes: true,
      address,
    };
  }

  /**
   * Notes the header of an authentic packet; false: it came before. It is
   * encrypted with the user's key, so that no user can use up the numbers of
   * another, whose headers and hash all can read that have the server's key.
   */
  #isFresh(user: Sip022User): boolean {
    const { identity, nobody, serverPackets } = this.#port;
    const { header } = this.#work;
    if (user === nobody) return serverPackets.addName(header);
    this.#userKeyOf(user).encrypt(header, 0, identity, 0);
    return serverPackets.addName(identity);
  }

  /** What seals the answers of a session. */
  #sealKeyOf(session: Sip022Session): AeadKey {
    const { user, server } = session;
    if (session.usedAt >= 0) {
      return session.sealKey ??= this.#port.sessionKey(user.key, server);
    }
    // Its association has outlived it; seldom, and never two for long.
    if (this.#lateKey?.session !== session) {
      this.#lateKey?.key[Symbol.dispose]();
      this.#lateKey = { session, key: this.#port.sessionKey(user.key, server) };
    }
    return this.#lateKey.key;
  }

  /** The user whom the identity header names. */
  #userOf(bytes: Uint8Array, at: number): Sip022User | undefined {
    const { users, identity } = this.#port;
    this.#headerKey!.decrypt(bytes, at, identity, 0);
    combine(identity, this.#work.header, identity);
    return users?.find(identity);
  }

  /** An answer's header has the user's key, whatever that of requests is. */
  #userKeyOf(user: Sip022User): BlockKey {
    if (user === this.#port.nobody) return this.#headerKey!;
    let key = this.#userKeys.get(user);
    if (key === undefined) {
      // More than there are users: some have been replaced.
      const { size = 0 } = this.#port.users ?? {};
      if (this.#userKeys.size >= size) this.#wipeUserKeys();
      key = this.#port.setup.blocks!.importKey(user.key);
      this.#userKeys.set(user, key);
    }
    return key;
  }

  #wipeUserKeys(): void {
    for (const key of this.#userKeys.values()) key[Symbol.dispose]();
    this.#userKeys.clear();
  }

  /** What is wrong with a body that is authentic; undefined: nothing. */
  #problemOf(output: Uint8Array, at: number): PacketRefused | undefined {
    if (output[at] !== REQUEST) return BAD_HEADER;
    const skew = skewOf(output, at + TYPE_LENGTH, this.#port.clock);
    return Math.abs(skew) <= MAX_SKEW
      ? undefined
      : { refused: "skew", reason: "clock skew", skew };
  }
}

function newOpening(identities: number): PacketOpening {
  return {
    front: HEADER_LENGTH + identities,
    fixed: REQUEST_FIXED,
    output: new Uint8Array(0),
  };
}

function newSealing(
  work: PacketWork,
  { server, client }: Sip022Session,
  key: AeadKey,
): PacketSealing {
  return {
    work,
    session: server,
    id: 0,
    key,
    headerKey: undefined,
    type: ANSWER,
    client,
    identities: 0,
  };
}

function refusal(
  refused: ServerRefusal,
  reason: RefusalReason,
): PacketRefused {
  return Object.freeze({ refused, reason });
}
