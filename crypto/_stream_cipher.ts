/**
 * What the stream ciphers of every library have in common: sizes are checked
 * before native code sees a pointer, and a state that is disposed of stays so.
 *
 * @module
 */

import { md5 } from "./key.ts";
import type { CipherMethod } from "./methods.ts";
import type { StreamCipher, StreamState } from "./provider.ts";

/**
 * How a library starts one direction; sizes have been checked, and key and IV
 * are not to be kept. The state is never asked for zero bytes, and disposed of
 * at most once.
 */
export type StreamStart = (
  key: Uint8Array,
  iv: Uint8Array,
  decrypt: boolean,
) => StreamState;

/** What a library gives of a stream cipher. */
export interface StreamBinding {
  /** Starts one direction. */
  readonly start: StreamStart;
  /** What the streams share; disposed of with the cipher. */
  readonly shared?: Disposable;
}

/**
 * Makes the stream cipher of a method.
 *
 * @param method Gives the sizes; a key of 0 bytes stands for any length.
 * @param binding Does the work.
 * @returns The cipher.
 */
export function makeStreamCipher(
  method: CipherMethod,
  binding: StreamBinding,
): StreamCipher {
  return new BoundCipher(method, binding);
}

/**
 * Compares bytes, in a time that tells where the first difference is.
 *
 * @param a Some bytes.
 * @param b Others.
 * @returns Whether they are the same.
 */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) {
    if (a[at] !== b[at]) return false;
  }
  return true;
}

class BoundCipher implements StreamCipher {
  readonly #method: CipherMethod;
  #binding: StreamBinding | undefined;

  constructor(method: CipherMethod, binding: StreamBinding) {
    this.#method = method;
    this.#binding = binding;
  }

  start(
    key: Uint8Array,
    iv: Uint8Array,
    options?: { readonly decrypt?: boolean },
  ): StreamState {
    const { keyLength, saltLength } = this.#method;
    if (this.#binding === undefined) {
      throw new TypeError("Cannot start a stream: the cipher is disposed of");
    }
    if (
      (key.length !== keyLength && keyLength > 0) || iv.length !== saltLength
    ) {
      throw new RangeError(
        `Cannot start a stream: key and IV have ${key.length} and ${iv.length} ` +
          `bytes, not ${keyLength} and ${saltLength}`,
      );
    }
    return new BoundState(this.#start(key, iv, options?.decrypt ?? false));
  }

  [Symbol.dispose](): void {
    this.#binding?.shared?.[Symbol.dispose]();
    this.#binding = undefined;
  }

  #start(key: Uint8Array, iv: Uint8Array, decrypt: boolean): StreamState {
    const { start } = this.#binding!;
    if (this.#method.cipher !== "rc4-md5") return start(key, iv, decrypt);
    // This method is RC4 with a key that is made of the key and the IV.
    const mixed = md5(key, iv);
    try {
      return start(mixed, new Uint8Array(0), decrypt);
    } finally {
      mixed.fill(0);
    }
  }
}

class BoundState implements StreamState {
  #state: StreamState | undefined;

  constructor(state: StreamState) {
    this.#state = state;
  }

  update(input: Uint8Array, output: Uint8Array): void {
    if (this.#state === undefined) {
      throw new TypeError("Cannot go on with a stream: it is disposed of");
    }
    if (output.length < input.length) {
      throw new RangeError(
        `Cannot go on with a stream: no room for ${input.length} bytes in ${output.length}`,
      );
    }
    if (input.length > 0) this.#state.update(input, output);
  }

  [Symbol.dispose](): void {
    const state = this.#state;
    this.#state = undefined;
    state?.[Symbol.dispose]();
  }
}
