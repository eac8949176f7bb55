/**
 * DNS messages (RFC 1035, section 4): one question out, records in.
 *
 * ```text
 * ID (2)  FLAGS (2)  QDCOUNT (2)  ANCOUNT (2)  NSCOUNT (2)  ARCOUNT (2)
 * question: NAME  TYPE (2)  CLASS (2)
 * record:   NAME  TYPE (2)  CLASS (2)  TTL (4)  RDLENGTH (2)  RDATA
 * ```
 *
 * Nothing here throws for what a message holds. A message is taken only if
 * it repeats the ID and, byte for byte, the question that was asked.
 *
 * @module
 */

import { NameReader, writeName } from "./_name.ts";

/** Record type: IPv4 address. */
export const TYPE_A = 1;
/** Record type: the name is an alias of another. */
export const TYPE_CNAME = 5;
/** Record type: start of a zone; tells how long a "no" holds (RFC 2308). */
export const TYPE_SOA = 6;
/** Record type: IPv6 address (RFC 3596). */
export const TYPE_AAAA = 28;
/** The Internet class. */
const CLASS_IN = 1;

/** Response code: no error. */
export const RCODE_NOERROR = 0;
/** Response code: the name does not exist. */
export const RCODE_NXDOMAIN = 3;

/** Length of the header. */
const HEADER_LENGTH = 12;

const FLAG_RESPONSE = 0x8000;
const OPCODE_MASK = 0x7800;
const FLAG_TRUNCATED = 0x0200;
const FLAG_RECURSION_DESIRED = 0x0100;
const FLAG_RECURSION_AVAILABLE = 0x0080;
const RCODE_MASK = 0x000f;
/** TYPE, CLASS, TTL, RDLENGTH. */
const RECORD_FIXED_LENGTH = 10;
/** Two root names and five numbers: the shortest SOA data. */
const SOA_MIN_LENGTH = 22;

/** The record types that are asked for. */
export type AddressType = typeof TYPE_A | typeof TYPE_AAAA;

/** One address record. */
export interface AddressRecord {
  /** The owner, lower case. */
  readonly name: string;
  /** `TYPE_A` or `TYPE_AAAA`. */
  readonly type: AddressType;
  /** Seconds it may be kept. */
  readonly ttl: number;
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
}

/** One alias record. */
export interface AliasRecord {
  /** The owner, lower case. */
  readonly name: string;
  /** Tells the records apart. */
  readonly type: typeof TYPE_CNAME;
  /** Seconds it may be kept. */
  readonly ttl: number;
  /** What the owner is an alias of. */
  readonly target: string;
}

/** A record of the answer section that matters here. */
export type DnsRecord = AddressRecord | AliasRecord;

/** What a response says. */
export interface DnsMessage {
  /** The response code. */
  readonly rcode: number;
  /** Cut off: ask again over TCP. `records` are those that came whole. */
  readonly truncated: boolean;
  /** Whether the server looks names up for others. */
  readonly recursionAvailable: boolean;
  /** The answer section. */
  readonly records: readonly DnsRecord[];
  /** Seconds a "no" may be kept; undefined without an SOA record. */
  readonly negativeTtl: number | undefined;
}

/** What {@linkcode decodeResponse} gives. */
export type DecodeResult =
  /** Not the answer to this query: ignore it. */
  | { readonly status: "foreign" }
  /** The answer, but it cannot be read. */
  | { readonly status: "malformed" }
  | { readonly status: "ok"; readonly message: DnsMessage };

const FOREIGN: DecodeResult = { status: "foreign" };
const MALFORMED: DecodeResult = { status: "malformed" };

/** What {@linkcode encodeQuery} asks. */
export interface QuerySpec {
  /** The transaction ID, 16 bits. */
  readonly id: number;
  /** A valid host name. */
  readonly name: string;
  /** The record type. */
  readonly type: number;
}

/**
 * Writes a query with one question, recursion desired.
 *
 * @param spec What to ask.
 * @returns The message.
 */
export function encodeQuery(spec: QuerySpec): Uint8Array {
  const out = new Uint8Array(HEADER_LENGTH + spec.name.length + 2 + 4);
  const view = new DataView(out.buffer);
  view.setUint16(0, spec.id);
  view.setUint16(2, FLAG_RECURSION_DESIRED);
  view.setUint16(4, 1);
  const end = writeName(out, HEADER_LENGTH, spec.name);
  view.setUint16(end, spec.type);
  view.setUint16(end + 2, CLASS_IN);
  return out;
}

/**
 * Reads the response to a query.
 *
 * @param bytes The message, and nothing behind it.
 * @param query What {@linkcode encodeQuery} gave.
 * @returns What the response says, if it is one to this query.
 */
export function decodeResponse(
  bytes: Uint8Array,
  query: Uint8Array,
): DecodeResult {
  if (bytes.length < query.length) return FOREIGN;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint16(2);
  if (
    bytes[0] !== query[0] || bytes[1] !== query[1] ||
    (flags & FLAG_RESPONSE) === 0 || (flags & OPCODE_MASK) !== 0 ||
    view.getUint16(4) !== 1
  ) return FOREIGN;
  for (let i = HEADER_LENGTH; i < query.length; i++) {
    if (bytes[i] !== query[i]) return FOREIGN;
  }
  const truncated = (flags & FLAG_TRUNCATED) !== 0;
  const records: DnsRecord[] = [];
  let negativeTtl: number | undefined;
  const names = new NameReader(bytes);
  let at = query.length;
  const answers = view.getUint16(6);
  const all = answers + view.getUint16(8);
  for (let i = 0; i < all; i++) {
    const header = readRecord(view, names, at);
    if (header === undefined) {
      if (truncated) break;
      return MALFORMED;
    }
    at = header.dataOffset + header.dataLength;
    if (header.class !== CLASS_IN) continue;
    if (i < answers) {
      const record = toRecord(bytes, names, header);
      if (record === undefined) return MALFORMED;
      if (record !== "other") records.push(record);
    } else if (header.type === TYPE_SOA) {
      if (header.dataLength < SOA_MIN_LENGTH) return MALFORMED;
      const minimum = toTtl(view.getUint32(at - 4));
      negativeTtl = Math.min(header.ttl, minimum);
    }
  }
  return {
    status: "ok",
    message: {
      rcode: flags & RCODE_MASK,
      truncated,
      recursionAvailable: (flags & FLAG_RECURSION_AVAILABLE) !== 0,
      records,
      negativeTtl,
    },
  };
}

interface RecordHeader {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  readonly dataOffset: number;
  readonly dataLength: number;
}

function readRecord(
  view: DataView,
  names: NameReader,
  offset: number,
): RecordHeader | undefined {
  const owner = names.read(offset);
  if (owner === undefined) return undefined;
  const { name, next } = owner;
  const dataOffset = next + RECORD_FIXED_LENGTH;
  if (dataOffset > view.byteLength) return undefined;
  const dataLength = view.getUint16(next + 8);
  if (dataOffset + dataLength > view.byteLength) return undefined;
  return {
    name,
    type: view.getUint16(next),
    class: view.getUint16(next + 2),
    ttl: toTtl(view.getUint32(next + 4)),
    dataOffset,
    dataLength,
  };
}

function toRecord(
  bytes: Uint8Array,
  names: NameReader,
  header: RecordHeader,
): DnsRecord | "other" | undefined {
  const { name, type, ttl, dataOffset, dataLength } = header;
  switch (type) {
    case TYPE_A:
    case TYPE_AAAA: {
      if (dataLength !== (type === TYPE_A ? 4 : 16)) return undefined;
      const address = bytes.slice(dataOffset, dataOffset + dataLength);
      return { name, type, ttl, address };
    }
    case TYPE_CNAME: {
      const target = names.read(dataOffset);
      if (target?.next !== dataOffset + dataLength) return undefined;
      return { name, type, ttl, target: target.name };
    }
    default:
      return "other";
  }
}

/** A TTL with the top bit set counts as 0 (RFC 2181, section 8). */
function toTtl(seconds: number): number {
  return seconds > 0x7fffffff ? 0 : seconds;
}
