/**
 * Packets of the classic editions: each is sealed for itself under a salt of
 * its own, and begins with an address header.
 *
 * ```text
 * client → server    salt ‖ seal(ADDR of the target ‖ data)
 * server → client    salt ‖ seal(ADDR of the source ‖ data)
 * ```
 *
 * @module
 */

import {
  parseAddress,
  type ParseAddressOptions,
  type ParsedAddress,
} from "../socks5/mod.ts";
import type { ClassicPort, ClassicSalts } from "./_classic_port.ts";
import { authenticate, isAuthentic, ONETIMEAUTH_BYTES } from "./_ota.ts";
import { DECRYPT_FAILED } from "./cryptor.ts";
import {
  type ClientPackets,
  NOT_SENDABLE,
  PACKET_ROOM,
  type PacketBytes,
  type PacketOpened,
  type PacketRefused,
  type RefusalReason,
  type ServerPackets,
  type ServerRefusal,
} from "./edition.ts";

/** The answer of {@linkcode openInto} if there is no room. */
const TOO_LONG = -2;

const AUTH_ERROR = refusal("auth_failed", "authentication error");
const NO_ROOM = refusal("error", "too long");
const BAD_ADDRESS = refusal("error", "invalid address");
/** With a stream cipher this is the one sign of a wrong password. */
const BAD_UNPROVEN_ADDRESS = refusal("auth_failed", "invalid address");
const TAG_REQUIRED = refusal("auth_failed", "one time auth is required");
const TAG_SHORT = refusal("auth_failed", "one time auth is too short");
const TAG_WRONG = refusal("auth_failed", "one time auth failed");
const REPLAY = refusal("replay", "replay");

/** The datagrams of one association, on the client's side. */
export class ClassicClientPackets implements ClientPackets {
  readonly #port: ClassicPort;
  readonly #look: LookForAddress = lookForAddress(false);

  /**
   * Makes the codec of one association.
   *
   * @param port What it shares with others.
   */
  constructor(port: ClassicPort) {
    this.#port = port;
  }

  /**
   * Seals a datagram for the server.
   *
   * @param packet The payload, with an address header in front.
   * @param output Takes the sealed packet.
   * @returns Bytes in `output`, or {@linkcode NOT_SENDABLE}.
   */
  seal(packet: PacketBytes, output: Uint8Array): number {
    return this.#port.oneTimeAuth
      ? sealTagged(this.#port, packet, output)
      : seal(this.#port, this.#port.client, packet, output);
  }

  /**
   * Opens an answer into `output`, at {@linkcode PACKET_ROOM}.
   *
   * @param packet What was received.
   * @param output Takes the address header and the payload.
   * @returns Why it is to be dropped; undefined: it is genuine.
   */
  open(packet: PacketBytes, output: Uint8Array): ServerRefusal | undefined {
    const port = this.#port;
    const length = openInto(port, packet, output);
    if (length < 0) return failureOf(length).refused;
    const end = PACKET_ROOM + length;
    this.#look.end = end;
    const address = parseAddress(output, this.#look);
    if (address.status !== "ok") return BAD_ADDRESS.refused;
    if (!port.client.packets.add(port.suite.packetSalt)) return REPLAY.refused;
    setOpened(packet, output, address);
    packet.end = end;
    return undefined;
  }

  /** Frees nothing: a packet leaves nothing behind. */
  [Symbol.dispose](): void {}
}

/** The datagrams of a listener, on the server's side. */
export class ClassicServerPackets implements ServerPackets {
  readonly #port: ClassicPort;
  readonly #look: LookForAddress = lookForAddress(true);

  /**
   * Makes the codec of one listener.
   *
   * @param port What it shares with others.
   */
  constructor(port: ClassicPort) {
    this.#port = port;
  }

  /**
   * Opens a client's packet into `output`, at {@linkcode PACKET_ROOM}.
   *
   * @param packet What was received.
   * @param output Takes the address header and the payload.
   * @returns What it asks for, or why it is to be dropped.
   */
  open(packet: PacketBytes, output: Uint8Array): PacketOpened | PacketRefused {
    const port = this.#port;
    const length = openInto(port, packet, output);
    if (length < 0) return failureOf(length);
    let end = PACKET_ROOM + length;
    this.#look.end = end;
    const address = parseAddress(output, this.#look);
    if (address.status !== "ok") return badAddress(port);
    if (address.oneTimeAuth) {
      end -= ONETIMEAUTH_BYTES;
      const refused = refusesTag(port, output, {
        dataStart: PACKET_ROOM + address.length,
        end,
      });
      if (refused !== undefined) return refused;
      // The header that is passed on is a plain one.
      output[PACKET_ROOM] = address.type;
    } else if (port.oneTimeAuth) return TAG_REQUIRED;
    if (!port.server.packets.add(port.suite.packetSalt)) return REPLAY;
    setOpened(packet, output, address);
    packet.end = end;
    return { key: undefined, user: port.user, state: this, address };
  }

  /**
   * Seals an answer.
   *
   * @param packet The payload, with an address header in front.
   * @param _state Of no use here.
   * @param output Takes the sealed packet.
   * @returns Bytes in `output`, or {@linkcode NOT_SENDABLE}.
   */
  seal(packet: PacketBytes, _state: unknown, output: Uint8Array): number {
    return seal(this.#port, this.#port.server, packet, output);
  }

  /** Frees nothing: a packet leaves nothing behind. */
  [Symbol.dispose](): void {}
}

/** Where `parseAddress` looks: one object, used again. */
interface LookForAddress extends ParseAddressOptions {
  end: number;
}

function lookForAddress(allowOneTimeAuth: boolean): LookForAddress {
  return { offset: PACKET_ROOM, end: 0, allowOneTimeAuth };
}

function refusal(
  refused: ServerRefusal,
  reason: RefusalReason,
): PacketRefused {
  return Object.freeze({ refused, reason });
}

function failureOf(length: number): PacketRefused {
  return length === DECRYPT_FAILED ? AUTH_ERROR : NO_ROOM;
}

function badAddress({ suite }: ClassicPort): PacketRefused {
  return suite.method.kind === "aead" ? BAD_ADDRESS : BAD_UNPROVEN_ADDRESS;
}

/** Checks the tag that stands at `end`; undefined: it is genuine. */
function refusesTag(
  { suite }: ClassicPort,
  plain: Uint8Array,
  { dataStart, end }: { readonly dataStart: number; readonly end: number },
): PacketRefused | undefined {
  if (end < dataStart) return TAG_SHORT;
  const message = plain.subarray(PACKET_ROOM, end);
  const tag = plain.subarray(end, end + ONETIMEAUTH_BYTES);
  const key = { iv: suite.packetSalt, masterKey: suite.masterKey };
  return isAuthentic(message, tag, key) ? undefined : TAG_WRONG;
}

/** Bytes of plaintext at PACKET_ROOM, or a negative number. */
function openInto(
  { suite, part }: ClassicPort,
  { bytes, start, end }: PacketBytes,
  output: Uint8Array,
): number {
  const length = end - start - suite.packetOverhead;
  if (length > output.length - PACKET_ROOM) return TOO_LONG;
  part.start = start;
  part.end = end;
  part.at = PACKET_ROOM;
  return suite.openPacket(bytes, output, part);
}

function setOpened(
  packet: PacketBytes,
  output: Uint8Array,
  address: ParsedAddress,
): void {
  packet.bytes = output;
  packet.head = PACKET_ROOM;
  packet.start = PACKET_ROOM + address.length;
}

function seal(
  { suite, part }: ClassicPort,
  { fresh, packets }: ClassicSalts,
  { bytes, head, end }: PacketBytes,
  output: Uint8Array,
): number {
  if (head < 0 || end - head + suite.packetOverhead > output.length) {
    return NOT_SENDABLE;
  }
  part.start = head;
  part.end = end;
  part.salts = fresh;
  const count = suite.sealPacket(bytes, output, part);
  // Sent back to us, it would look like a packet of the other side.
  packets.addOwn(suite.packetSalt);
  return count;
}

/** The tag at the end depends on the salt, which is drawn when sealing. */
function sealTagged(
  { suite, client, buffer }: ClassicPort,
  { bytes, head, end }: PacketBytes,
  output: Uint8Array,
): number {
  const length = end - head;
  const whole = length + ONETIMEAUTH_BYTES;
  if (head < 0 || whole + suite.packetOverhead > output.length) {
    return NOT_SENDABLE;
  }
  const { masterKey } = suite;
  const tagged = buffer.room(whole);
  tagged.set(bytes.subarray(head, end));
  const count = suite.sealPacket(tagged, output, {
    end: whole,
    salts: client.fresh,
    onSalt: (iv) => {
      const message = tagged.subarray(0, length);
      tagged.set(authenticate(message, { iv, masterKey }), length);
    },
  });
  client.packets.addOwn(suite.packetSalt);
  return count;
}
