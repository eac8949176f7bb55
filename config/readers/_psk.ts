/**
 * What a configuration asks of the keys of the 2022 edition.
 *
 * @module
 */

import type { CipherMethod } from "../../crypto/methods.ts";
import { parsePsk, parsePskChain } from "../../crypto/psk.ts";

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
 * @param isChain Whether several keys may stand there, as a client has them
 * (SIP023).
 * @returns What is wrong and what is right; undefined: it is good.
 */
export function pskProblem(
  text: string,
  method: CipherMethod,
  isChain: boolean,
): string | undefined {
  if (isChain) return parsePskChain(text, method).problem;
  return text.includes(":")
    ? "it is several keys with colons between them, as clients have them; a " +
      "server has the one of its own"
    : parsePsk(text, method).problem;
}

/**
 * Gives what tells a key from others: one key can be written in several ways.
 *
 * @param text The key.
 * @param method The method that it is for.
 * @returns A text that is the same for the same key.
 */
export function pskIdentity(text: string, method: CipherMethod): string {
  return parsePsk(text, method).key?.join() ?? text;
}
