/**
 * For tests of packets of the 2022 edition: their format written out a second
 * time, also such as no peer would send.
 *
 * @module
 */

import { assert } from "@std/assert";
import { blake3 } from "@noble/hashes/blake3.js";
import { createCipheriv } from "node:crypto";
import { deriveKey } from "../crypto/mod.ts";
import { plainPacket, type Row, sealedPacket } from "./_edition_fixture.ts";
import { HELLO, NOW, PASSWORD, u16, u64 } from "./_sip022_fixture.ts";
import type {
  ClientPackets,
  PacketOpened,
  PacketRefused,
  ServerPackets,
} from "./edition.ts";
import { packetMethod } from "./sip022_edition.ts";
import { concat, seededBytes, utf8 } from "../tests/support/bytes.ts";
import { seal } from "../tests/support/aead.ts";

/** `192.0.2.7:80`. */
export const HEAD = Uint8Array.of(1, 192, 0, 2, 7, 0, 80);

const OUTPUT = new Uint8Array(70_000);

/** What {@linkcode requestPacket} writes. */
export interface PacketFields {
  /** The session's ID. */
  readonly session?: Uint8Array;
  /** The packet's number. */
  readonly number?: bigint;
  readonly type?: number;
  /** Seconds since 1970. */
  readonly time?: number;
  /** What stands behind the time. Default: no padding, an address, "hello". */
  readonly rest?: Uint8Array;
  /** The password of the body; the identities' before it. */
  readonly passwords?: readonly string[];
}

/** A packet of a client. */
export function requestPacket(
  row: Row,
  fields: PacketFields = {},
): Uint8Array<ArrayBuffer> {
  const { session = seededBytes(8, 1), number = 0n, type = 0 } = fields;
  const { time = NOW, rest = concat(u16(0), HEAD, HELLO) } = fields;
  const { passwords = [PASSWORD] } = fields;
  const keys = passwords.map((text) => deriveKey(text, row.method.keyLength));
  const psk = keys.at(-1)!;
  const header = new Uint8Array(16);
  header.set(session);
  new DataView(header.buffer).setBigUint64(8, number);
  const body = concat(Uint8Array.of(type), u64(time), rest);
  if (row.blocks === undefined) {
    const nonce = seededBytes(24, Number(number & 0xffffn) + 1);
    using cipher = row.packetProvider!.aead(packetMethod(row.method)!);
    using key = cipher.importKey(psk);
    const plain = concat(header, body);
    const sealed = new Uint8Array(plain.length + 16);
    seal(key, nonce, plain, sealed);
    return concat(nonce, sealed);
  }
  const blocks = keys.slice(1).map((next, i) => {
    const hash = blake3(next).subarray(0, 16);
    return block(keys[i]!, hash.map((byte, at) => byte ^ header[at]!));
  });
  const context = utf8("shadowsocks 2022 session subkey");
  const subkey = blake3(concat(psk, session), { context })
    .subarray(0, psk.length);
  using cipher = row.provider.aead(row.method);
  using key = cipher.importKey(subkey);
  const sealed = new Uint8Array(body.length + 16);
  seal(key, header.subarray(4), body, sealed);
  return concat(block(keys[0]!, header), ...blocks, sealed);
}

/** One block of AES. */
function block(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  const cipher = createCipheriv(`aes-${8 * key.length}-ecb`, key, null);
  cipher.setAutoPadding(false);
  const sealed = Uint8Array.from(cipher.update(bytes));
  cipher.final();
  return sealed;
}

/** Seals "hello", or other data, for the server. */
export function sealHello(
  packets: ClientPackets,
  data: Uint8Array = HELLO,
  head: Uint8Array = HEAD,
): Uint8Array<ArrayBuffer> {
  const length = packets.seal(plainPacket(head, data), OUTPUT);
  assert(length > 0);
  return OUTPUT.slice(0, length);
}

/** Seals "hello", or other data, for a client. */
export function answerHello(
  packets: ServerPackets,
  state: unknown,
  data: Uint8Array = HELLO,
): Uint8Array<ArrayBuffer> {
  const length = packets.seal(plainPacket(HEAD, data), state, OUTPUT);
  assert(length > 0);
  return OUTPUT.slice(0, length);
}

/** What a server makes of a packet. */
export function opened(
  packets: ServerPackets,
  sealed: Uint8Array,
): PacketOpened | PacketRefused {
  return packets.open(sealedPacket(sealed), OUTPUT);
}
