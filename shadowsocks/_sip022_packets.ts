/**
 * What both sides of packets have in common in the 2022 edition (SIP022,
 * section 3.2).
 *
 * ```text
 * AES      AES(session 8 ‖ number 8) ‖ identity header … ‖ seal(body)
 * ChaCha   nonce 24 ‖ seal(session 8 ‖ number 8 ‖ body)
 * body     type 1 ‖ time 8 ‖ (answer: session of the client 8) ‖
 *          length of padding 2 ‖ padding ‖ address ‖ payload
 * ```
 *
 * With AES the key is that of the session and the nonce the last 12 bytes of
 * the separate header; with ChaCha it is the PSK itself, by
 * XChaCha20-Poly1305.
 *
 * @module
 */

import type { AeadKey, AeadPart, BlockKey } from "../crypto/mod.ts";
import { parseAddress, type ParsedAddress } from "../socks5/mod.ts";
import { setInput, setOutput } from "./_aead_chunks.ts";
import { MAX_PADDING, TYPE_LENGTH } from "./_sip022_head.ts";
import { PSK_HASH_LENGTH } from "./_sip022_keys.ts";
import { readNumber, writeNumber } from "./_sip022_number.ts";
import type { Sip022Port } from "./_sip022_port.ts";
import { TIME_LENGTH, writeTime } from "./_sip022_time.ts";
import { NOT_SENDABLE, PACKET_ROOM, type PacketBytes } from "./edition.ts";

/** Bytes of the ID of a session. */
export const SESSION_LENGTH = 8;
/** Bytes of the header that names session and packet. */
export const HEADER_LENGTH = 16;
/** The nonce of AES begins behind as many bytes of the header. */
const NONCE_AT = 4;
/** Bytes of a nonce of XChaCha20-Poly1305. */
const LONG_NONCE_LENGTH = 24;
const TAG_LENGTH = 16;
/** Bytes of a length of padding. */
const PADDING_LENGTH = 2;
/** The port of DNS, whose packets are known by their lengths. */
const DNS_PORT = 53;
/**
 * What a padded packet has at most, so that it travels in one piece: 1,280
 * bytes are the least MTU of IPv6 (RFC 8200, section 5), less its header of 40
 * and that of UDP.
 */
const PADDED_LENGTH = 1232;

/** The answer of an opening: the tag is wrong. */
export const NOT_GENUINE: number = -1;
/** The answer of an opening: there is no room for what was received. */
export const TOO_LONG: number = -2;

/** Where a packet is opened or sealed next. */
export interface PacketWork {
  /** The header that names session and packet, in clear. */
  readonly header: Uint8Array;
  /** Its part that is a nonce. */
  readonly nonce: Uint8Array;
  /** The nonce of a packet without a separate header. */
  readonly longNonce: Uint8Array;
  /** Told to the cipher: one object, used again. */
  readonly part: AeadPart;
  /** Where `parseAddress` looks: one object, used again. */
  readonly look: { offset: number; end: number };
}

/**
 * Makes the scratch memory of one side of a port.
 *
 * @returns It, for one call at a time.
 */
export function newPacketWork(): PacketWork {
  const header = new Uint8Array(HEADER_LENGTH);
  return {
    header,
    nonce: header.subarray(NONCE_AT),
    longNonce: new Uint8Array(LONG_NONCE_LENGTH),
    part: { input: header, start: 0, length: 0, output: header, at: 0 },
    look: { offset: 0, end: 0 },
  };
}

/** What a packet is sealed with: one object, used again. */
export interface PacketSealing {
  /** Scratch memory. */
  readonly work: PacketWork;
  /** The sending session's ID. */
  session: Uint8Array;
  /** The packet's number. */
  id: number;
  /** The key of the body. */
  key: AeadKey;
  /** What encrypts the separate header; undefined: there is none. */
  headerKey: BlockKey | undefined;
  /** The type of the body. */
  readonly type: number;
  /** Of an answer, the client's session; undefined: it is a request. */
  client: Uint8Array | undefined;
  /** Bytes of identity headers, which the caller writes. */
  readonly identities: number;
}

/** How packets are opened: one object, used again. */
export interface PacketOpening {
  /**
   * Where the sealed body begins behind the packet's start; of no meaning
   * without a separate header.
   */
  readonly front: number;
  /** How many bytes of the body's head precede the padding. */
  readonly fixed: number;
  /** Takes the body. */
  output: Uint8Array;
}

/**
 * Seals a packet. Its header stays in `sealing.work.header`, in clear.
 *
 * @param port Cipher, clock and randomness.
 * @param sealing What it is sealed with.
 * @param packet The packet, with an address header in front of its payload.
 * @param output Takes the sealed packet.
 * @returns Bytes in `output`, or {@linkcode NOT_SENDABLE}.
 */
export function sealBody(
  port: Sip022Port,
  sealing: PacketSealing,
  { bytes, head, start, end }: PacketBytes,
  output: Uint8Array,
): number {
  const { work, session, id, client, headerKey } = sealing;
  if (head < 0) return NOT_SENDABLE;
  const isSeparate = headerKey !== undefined;
  const fixed = TYPE_LENGTH + TIME_LENGTH + (client?.length ?? 0) +
    PADDING_LENGTH;
  const front = isSeparate
    ? HEADER_LENGTH + sealing.identities
    : LONG_NONCE_LENGTH;
  const inner = (isSeparate ? 0 : HEADER_LENGTH) + fixed;
  const least = front + inner + end - head + TAG_LENGTH;
  if (least > output.length) return NOT_SENDABLE;
  const room = Math.min(PADDED_LENGTH, output.length) - least;
  const padding = isDns(bytes, start) && room > 0
    ? port.randomBelow(Math.min(MAX_PADDING, room) + 1)
    : 0;
  const { header, nonce, longNonce, part } = work;
  header.set(session);
  writeNumber(header, SESSION_LENGTH, id);
  const length = inner + padding + end - head;
  const plain = port.buffer.room(length);
  let at = 0;
  if (!isSeparate) {
    plain.set(header);
    at = HEADER_LENGTH;
  }
  plain[at] = sealing.type;
  writeTime(plain, at + TYPE_LENGTH, port.clock);
  at += TYPE_LENGTH + TIME_LENGTH;
  if (client !== undefined) {
    plain.set(client, at);
    at += client.length;
  }
  plain[at] = padding >>> 8;
  plain[at + 1] = padding;
  at += PADDING_LENGTH;
  // The bytes of the padding have no meaning, and nobody else sees them; but
  // those of another client's packet shall not leave.
  plain.fill(0, at, at + padding);
  plain.set(bytes.subarray(head, end), at + padding);
  setInput(part, plain, 0, length);
  setOutput(part, output, front);
  if (isSeparate) {
    headerKey.encrypt(header, 0, output, 0);
    sealing.key.sealPart(nonce, part);
  } else {
    crypto.getRandomValues(longNonce);
    output.set(longNonce);
    sealing.key.sealPart(longNonce, part);
  }
  return front + length + TAG_LENGTH;
}

/**
 * Opens the body of a packet with a separate header, whose header is in
 * `work.header`.
 *
 * @param work Scratch memory.
 * @param key The key of the session.
 * @param packet What was received.
 * @param opening Where its parts are.
 * @returns Where the body begins in the output; {@linkcode NOT_GENUINE} or
 * {@linkcode TOO_LONG}.
 */
export function openSeparate(
  work: PacketWork,
  key: AeadKey,
  { bytes, start, end }: PacketBytes,
  { front, fixed, output }: PacketOpening,
): number {
  const { part } = work;
  const input = start + front;
  const length = end - input - TAG_LENGTH;
  // Without padding the address begins behind the room that is kept free.
  const at = PACKET_ROOM - fixed;
  if (at + length > output.length) return TOO_LONG;
  setInput(part, bytes, input, length);
  setOutput(part, output, at);
  return key.openPart(work.nonce, part) ? at : NOT_GENUINE;
}

/**
 * Opens a packet without a separate header; the header comes to
 * `work.header`.
 *
 * @param work Scratch memory.
 * @param key The key of all packets.
 * @param packet What was received.
 * @param opening Where its parts are.
 * @returns Where the body begins in the output; {@linkcode NOT_GENUINE} or
 * {@linkcode TOO_LONG}.
 */
export function openWhole(
  work: PacketWork,
  key: AeadKey,
  { bytes, start, end }: PacketBytes,
  { fixed, output }: PacketOpening,
): number {
  const { part, longNonce, header } = work;
  const input = start + LONG_NONCE_LENGTH;
  for (let i = 0; i < LONG_NONCE_LENGTH; i++) longNonce[i] = bytes[start + i]!;
  const length = end - input - TAG_LENGTH;
  const at = PACKET_ROOM - fixed - HEADER_LENGTH;
  if (at + length > output.length) return TOO_LONG;
  setInput(part, bytes, input, length);
  setOutput(part, output, at);
  if (!key.openPart(longNonce, part)) return NOT_GENUINE;
  for (let i = 0; i < HEADER_LENGTH; i++) header[i] = output[at + i]!;
  return at + HEADER_LENGTH;
}

/**
 * Tells how long a packet is at least.
 *
 * @param fixed Bytes of the body's head, with the length of the padding.
 * @param isSeparate Whether it has a separate header.
 * @param identities Bytes of identity headers.
 * @returns Bytes, without address and payload.
 */
export function leastLength(
  fixed: number,
  isSeparate: boolean,
  identities = 0,
): number {
  const front = isSeparate ? identities : LONG_NONCE_LENGTH;
  return front + HEADER_LENGTH + fixed + TAG_LENGTH;
}

/** Bytes of a body's head before the padding: of a request. */
export const REQUEST_FIXED: number = TYPE_LENGTH + TIME_LENGTH + PADDING_LENGTH;
/** The same of an answer. */
export const ANSWER_FIXED: number = REQUEST_FIXED + SESSION_LENGTH;

/**
 * Finds the address in an opened body, behind its padding.
 *
 * @param work Scratch memory; its `part` is the one that was opened.
 * @param output Holds the body.
 * @param at Where the body's address would begin without padding.
 * @param end Where the body ends.
 * @returns The address; undefined: there is none.
 */
export function addressIn(
  work: PacketWork,
  output: Uint8Array,
  at: number,
  end: number,
): ParsedAddress | undefined {
  const padding = output[at - 2]! << 8 | output[at - 1]!;
  if (at + padding > end) return undefined;
  const { look } = work;
  look.offset = at + padding;
  look.end = end;
  const address = parseAddress(output, look);
  return address.status === "ok" ? address : undefined;
}

/**
 * Reads the number of a packet.
 *
 * @param header Names session and packet.
 * @returns The number; -1: it is greater than any that is counted to, 2⁵³ - 1.
 */
export function numberIn(header: Uint8Array): number {
  const number = readNumber(header, SESSION_LENGTH);
  return number <= Number.MAX_SAFE_INTEGER ? number : -1;
}

/**
 * Makes a text of the ID of a session, for a `Map`.
 *
 * @param bytes Begin with the ID.
 * @returns Four characters of two bytes each.
 */
export function sessionText(bytes: Uint8Array): string {
  return String.fromCharCode(
    bytes[0]! << 8 | bytes[1]!,
    bytes[2]! << 8 | bytes[3]!,
    bytes[4]! << 8 | bytes[5]!,
    bytes[6]! << 8 | bytes[7]!,
  );
}

/**
 * Tells whether the ID of a session stands in some bytes.
 *
 * @param id The ID.
 * @param bytes Where it may stand.
 * @param at Where in them.
 */
export function hasId(id: Uint8Array, bytes: Uint8Array, at = 0): boolean {
  for (let i = 0; i < SESSION_LENGTH; i++) {
    if (id[i] !== bytes[at + i]) return false;
  }
  return true;
}

/**
 * Combines what an identity header says with the separate header (SIP023).
 *
 * @param hash 16 bytes of one.
 * @param header The separate header in clear.
 * @param out Takes the 16 bytes.
 */
export function combine(
  hash: Uint8Array,
  header: Uint8Array,
  out: Uint8Array,
): void {
  for (let i = 0; i < PSK_HASH_LENGTH; i++) out[i] = hash[i]! ^ header[i]!;
}

/** Whether the address header that ends at `start` has the port of DNS. */
function isDns(bytes: Uint8Array, start: number): boolean {
  return (bytes[start - 2]! << 8 | bytes[start - 1]!) === DNS_PORT;
}
