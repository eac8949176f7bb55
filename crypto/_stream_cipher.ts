/**
 * What the stream ciphers of every library have in common: sizes are checked
 * before native code sees a pointer, and a state that is disposed of stays so.
 *
 * @module
 */

import type { CipherMethod } from "./methods.ts";
import type { StreamCipher, StreamState } from "./provider.ts";

/** How a library starts one direction; sizes have been checked. */
export type StreamStart = (
  key: Uint8Array,
  iv: Uint8Array,
  decrypt: boolean,
) => StreamState;

/**
 * Makes the stream cipher of a method.
 *
 * @param method Gives the sizes.
 * @param start Starts one direction; its state is never asked for zero bytes
 * and disposed of at most once.
 * @param shared What the streams share; becomes the cipher's own.
 * @returns The cipher.
 */
export function makeStreamCipher(
  method: CipherMethod,
  start: StreamStart,
  shared?: Disposable,
): StreamCipher {
  return new CheckedCipher(method, start, shared);
}

class CheckedCipher implements StreamCipher {
  readonly #method: CipherMethod;
  #start: StreamStart | undefined;
  #shared: Disposable | undefined;

  constructor(
    method: CipherMethod,
    start: StreamStart,
    shared: Disposable | undefined,
  ) {
    this.#method = method;
    this.#start = start;
    this.#shared = shared;
  }

  start(
    key: Uint8Array,
    iv: Uint8Array,
    options?: { readonly decrypt?: boolean },
  ): StreamState {
    const { keyLength, saltLength } = this.#method;
    if (this.#start === undefined) {
      throw new TypeError("Cannot start a stream: the cipher is disposed of");
    }
    if (key.length !== keyLength || iv.length !== saltLength) {
      throw new RangeError(
        `Cannot start a stream: key and IV have ${key.length} and ${iv.length} ` +
          `bytes, not ${keyLength} and ${saltLength}`,
      );
    }
    return new CheckedState(this.#start(key, iv, options?.decrypt ?? false));
  }

  [Symbol.dispose](): void {
    this.#start = undefined;
    this.#shared?.[Symbol.dispose]();
    this.#shared = undefined;
  }
}

class CheckedState implements StreamState {
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
