/**
 * Makes the key of a method: `shadowsocks genkey [METHOD]`.
 *
 * @module
 */

import { findMethod } from "../crypto/methods.ts";
import { isOf2022 } from "./readers/_psk.ts";
import { unknownMethod } from "./readers/_readers.ts";

/**
 * Bytes of a password, 32 characters of Base64. Letters stand for the two of
 * its characters that are none, so that no shell, link, file or option has to
 * quote it: 190 bits are left of 192, and 128 are what nobody guesses.
 */
const PASSWORD_BYTES = 24;

/** A key, or why there is none. */
export type KeyResult =
  | { readonly key: string; readonly problem?: undefined }
  | { readonly key?: undefined; readonly problem: string };

/**
 * Makes a key.
 *
 * @param method The name of the method that it is for; undefined: any but those
 * of 2022.
 * @param random Fills bytes with random ones. Default: the system's.
 * @returns Of the 2022 edition Base64 of as many bytes as its key has (SIP022,
 * section 2), else a password of letters and digits; or that there is no such
 * method.
 */
export function makeKey(
  method: string | undefined,
  random: (bytes: Uint8Array<ArrayBuffer>) => void = (bytes) => {
    crypto.getRandomValues(bytes);
  },
): KeyResult {
  const row = method === undefined ? undefined : findMethod(method);
  if (method !== undefined && row === undefined) {
    return { problem: unknownMethod(method) };
  }
  const is2022 = row !== undefined && isOf2022(row);
  const bytes = new Uint8Array(is2022 ? row.keyLength : PASSWORD_BYTES);
  random(bytes);
  const base64 = btoa(String.fromCharCode(...bytes));
  return {
    key: is2022 ? base64 : base64.replaceAll("+", "x").replaceAll("/", "y"),
  };
}
