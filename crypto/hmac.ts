/**
 * HMAC-SHA1 (RFC 2104), for one-time authentication.
 *
 * @module
 */

import { nodeCrypto } from "./_node.ts";

/**
 * Authenticates a message.
 *
 * @param key Any length.
 * @param message Any length.
 * @returns 20 bytes.
 */
export function hmacSha1(key: Uint8Array, message: Uint8Array): Uint8Array {
  return nodeCrypto().createHmac("sha1", key).update(message).digest();
}
