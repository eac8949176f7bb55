/**
 * The master key of a password: OpenSSL's `EVP_BytesToKey` with MD5, one
 * round and no salt, as every shadowsocks of 2012–2017 makes it:
 * D1 = MD5(password), Dn = MD5(Dn-1 ‖ password), key = D1 ‖ D2 ‖ … cut off.
 *
 * @module
 */

// Web Crypto has no MD5, a system library may have it locked (FIPS), and
// node:crypto takes longer to load than this takes for every key of a process.
import { md5 as nobleMd5 } from "@noble/hashes/legacy.js";

/**
 * Derives the master key of a password.
 *
 * @param password Taken as UTF-8.
 * @param length Bytes of the key; 0 means that the password is the key.
 * @returns The key.
 */
export function deriveKey(password: string, length: number): Uint8Array {
  const secret = new TextEncoder().encode(password);
  if (length === 0) return secret;
  const key = new Uint8Array(length);
  let digest = new Uint8Array(0);
  for (let at = 0; at < length; at += digest.length) {
    digest = md5(digest, secret);
    key.set(digest.subarray(0, length - at), at);
  }
  return key;
}

/**
 * Computes the MD5 digest of two pieces in a row.
 *
 * @param first The first bytes.
 * @param second The bytes after them.
 * @returns 16 bytes.
 */
export function md5(
  first: Uint8Array,
  second: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const hash = nobleMd5.create().update(first).update(second);
  return Uint8Array.from(hash.digest());
}
