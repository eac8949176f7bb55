/**
 * The keys of the 2022 edition as they are written (SIP022, section 2; SIP023):
 * base64 of exactly as many bytes as the method's key has. Pure functions, of
 * which configurations too make use.
 *
 * @module
 */

import { type CipherMethod, hasIdentityHeaders } from "./methods.ts";

/** What a text that should be one key is. */
export type ParsedPsk =
  | { readonly key: Uint8Array; readonly problem?: undefined }
  | { readonly problem: string; readonly key?: undefined };

/** What a text that should be a chain of keys is. */
export type ParsedPskChain =
  | {
    /** The identity keys, the first server's first, and the user's key. */
    readonly keys: readonly Uint8Array[];
    readonly problem?: undefined;
  }
  | { readonly problem: string; readonly keys?: undefined };

/**
 * Reads one key.
 *
 * @param text Base64; the padding may be missing, and the letters those of
 * base64url (RFC 4648, sections 4 and 5).
 * @param method Gives the length.
 * @returns The key, or what is wrong with it: never a part of the text.
 */
export function parsePsk(text: string, method: CipherMethod): ParsedPsk {
  const { keyLength, name } = method;
  const advice = `${name} takes base64 of ${keyLength} bytes, such as ` +
    `\`shadowsocks genkey ${name}\` makes`;
  const key = decodeBase64(text);
  if (key === undefined) return { problem: `it is not base64; ${advice}` };
  if (key.length !== keyLength) {
    return { problem: `it has ${key.length} bytes; ${advice}` };
  }
  return { key };
}

/**
 * Reads the keys of a client, or the one of a server.
 *
 * @param text `iPSK:…:uPSK`, each as {@linkcode parsePsk} takes it.
 * @param method Gives the length.
 * @returns The keys, or what is wrong with one of them.
 */
export function parsePskChain(
  text: string,
  method: CipherMethod,
): ParsedPskChain {
  const keys: Uint8Array[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    const { key, problem } = parsePsk(part, method);
    if (key === undefined) {
      const which = parts.length === 1
        ? ""
        : `key ${i + 1} of ${parts.length}: `;
      return { problem: which + problem };
    }
    keys.push(key);
  }
  if (keys.length > 1 && !hasIdentityHeaders(method)) {
    return { problem: `${method.name} has no identity headers: give one key` };
  }
  return { keys };
}

function decodeBase64(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) return undefined;
  try {
    const plain = text.replaceAll("-", "+").replaceAll("_", "/");
    const binary = atob(plain.replace(/=+$/, ""));
    return Uint8Array.from(binary, (char) => char.charCodeAt(0));
  } catch {
    // Some number of letters no bytes have.
    return undefined;
  }
}
