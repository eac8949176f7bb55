/**
 * The keys of the 2022 edition, as far as a configuration can judge them: each
 * is Base64 of exactly as many bytes as its method's key has (SIP022, section
 * 2); a client's may be several with colons between them, those of the servers
 * on the way first (SIP023).
 *
 * @module
 */

import { type CipherMethod, takesUsers } from "../../crypto/methods.ts";

/** Base64 in either alphabet (RFC 4648), padded or not. */
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/**
 * Tells whether a method belongs to the 2022 edition.
 *
 * @param method The method, if there is one.
 */
export function isOf2022(method: CipherMethod | undefined): boolean {
  return method?.edition === "2022";
}

/**
 * Says what is wrong with a key.
 *
 * @param text The key; no message shows a part of it.
 * @param method The method that it is for.
 * @param isChain Whether several keys may stand there.
 * @returns What is wrong and what is right; undefined: it is good.
 */
export function pskProblem(
  text: string,
  method: CipherMethod,
  isChain: boolean,
): string | undefined {
  const { name, keyLength } = method;
  const parts = text.split(":");
  if (parts.length > 1 && !isChain) {
    return "it is several keys with colons between them, as clients have " +
      "them: a server has the one of its own";
  }
  if (parts.length > 1 && !takesUsers(method)) {
    return `it is several keys, but ${name} has no identity headers: give one`;
  }
  for (const [i, part] of parts.entries()) {
    const length = keyBytes(part)?.length;
    if (length === keyLength) continue;
    const which = parts.length === 1 ? "it" : `key ${i + 1} of ${parts.length}`;
    const what = length === undefined ? "is not Base64" : `has ${length} bytes`;
    return `${which} ${what}: expected Base64 of ${keyLength} bytes, as ` +
      `"shadowsocks genkey ${name}" makes it`;
  }
  return undefined;
}

/**
 * Gives what a key stands for: one key can be written in several ways.
 *
 * @param text Base64.
 * @returns A character for each byte; undefined: it is not Base64.
 */
export function keyBytes(text: string): string | undefined {
  if (!BASE64.test(text)) return undefined;
  try {
    return atob(
      text.replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, ""),
    );
  } catch {
    // No bytes have this number of letters.
    return undefined;
  }
}
