/**
 * What the 2022 edition makes of its keys (SIP022, section 2; SIP023).
 *
 * ```text
 * session subkey    BLAKE3.derive_key("shadowsocks 2022 session subkey", PSK ‖ salt)
 * identity subkey   BLAKE3.derive_key("shadowsocks 2022 identity subkey", iPSK ‖ salt)
 * PSK hash          the first 16 bytes of BLAKE3(PSK)
 * ```
 *
 * @module
 */

import { blake3Hash, KeyDerivation } from "../crypto/blake3.ts";

/** SIP023: bytes of an identity header, which is a PSK hash in one AES block. */
export const PSK_HASH_LENGTH = 16;

const SESSION = new KeyDerivation("shadowsocks 2022 session subkey");
const IDENTITY = new KeyDerivation("shadowsocks 2022 identity subkey");

/**
 * Derives the key of one direction of a connection, or of a UDP session.
 *
 * @param psk The user's key.
 * @param salt The salt, as long as the key; of a UDP session its ID, 8 bytes.
 * @param subkey Takes the subkey. Default: new memory.
 * @returns The subkey, as long as the key.
 */
export function sessionSubkey(
  psk: Uint8Array,
  salt: Uint8Array,
  subkey: Uint8Array = new Uint8Array(psk.length),
): Uint8Array {
  SESSION.derive(psk, salt, subkey);
  return subkey;
}

/**
 * Derives the AES key of an identity header of a connection.
 *
 * @param ipsk The identity key of the server that reads the header.
 * @param salt The salt of the request.
 * @param subkey Takes the subkey. Default: new memory.
 * @returns The subkey, as long as the key.
 */
export function identitySubkey(
  ipsk: Uint8Array,
  salt: Uint8Array,
  subkey: Uint8Array = new Uint8Array(ipsk.length),
): Uint8Array {
  IDENTITY.derive(ipsk, salt, subkey);
  return subkey;
}

/**
 * Makes what an identity header says of the next key.
 *
 * @param psk The next key.
 * @returns 16 bytes.
 */
export function pskHash(psk: Uint8Array): Uint8Array {
  return blake3Hash(psk).slice(0, PSK_HASH_LENGTH);
}

/**
 * Makes a text of a PSK hash, by which a `Map` finds the user of an identity
 * header in the same time whatever their number.
 *
 * @param bytes Holds the hash.
 * @param at Where in it.
 * @returns 8 characters of two bytes each.
 */
export function pskHashText(bytes: Uint8Array, at = 0): string {
  const two = (i: number): number => bytes[at + i]! << 8 | bytes[at + i + 1]!;
  return String.fromCharCode(
    two(0),
    two(2),
    two(4),
    two(6),
    two(8),
    two(10),
    two(12),
    two(14),
  );
}
