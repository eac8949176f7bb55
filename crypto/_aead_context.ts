/**
 * The contexts of an AEAD cipher: a library's memory for one key, and the
 * bounded pool of them that serves any number of connections.
 *
 * @module
 */

import { BufferPlaces, NativeBuffer } from "./_ffi.ts";
import type { CipherMethod } from "./methods.ts";
import type { AeadPart } from "./provider.ts";

/** Bytes of the tag of every AEAD method (SIP004). */
export const TAG_LENGTH = 16;

/** Most contexts of a direction; of OpenSSL's they are about 64 KiB. */
const MAX_CONTEXTS = 64;

/** What a library reads the messages of one context from. */
export interface AeadMemory {
  /** The key, there from before the first message until `forget`. */
  readonly key: NativeBuffer;
  /** The nonce of the message. */
  readonly nonce: NativeBuffer;
  /** The addresses of what is read. */
  readonly input: BufferPlaces;
  /** The addresses of what is written. */
  readonly output: BufferPlaces;
}

/**
 * Seals or opens with a library. Key and nonce are in its memory, and all sizes
 * have been checked.
 */
export interface AeadBackend extends Disposable {
  /** Writes ciphertext ‖ tag, `part.length + 16` bytes. */
  seal(part: AeadPart): void;
  /** Verifies and decrypts; false if the tag is wrong. */
  open(part: AeadPart): boolean;
  /** Another key has taken the place of the one in the memory. */
  rekey(): void;
  /** Wipes what was made of the key; another one follows, or none. */
  forget(): void;
}

/** Makes the backend of a context, which seals or opens. */
export type MakeBackend = (memory: AeadMemory, encrypt: boolean) => AeadBackend;

/** A key as a pool knows it. */
export interface ContextOwner {
  /** The bytes of the key, to be read during the call only. */
  readonly bytes: Uint8Array;
  /** The context that holds the key to seal with it. */
  sealer: AeadContext | undefined;
  /** The context that holds the key to open with it. */
  opener: AeadContext | undefined;
}

/** A backend with its memory, for one key at a time. */
export interface AeadContext {
  /** Seals or opens. */
  readonly backend: AeadBackend;
  /** What the backend reads. */
  readonly memory: AeadMemory;
  /** The key that a pool has given it to. */
  owner: ContextOwner | undefined;
}

/**
 * Wipes the key of a context.
 *
 * @param context The context, which is then ready for another key.
 */
export function forgetKey({ memory, backend }: AeadContext): void {
  memory.key.bytes.fill(0);
  backend.forget();
}

/**
 * The contexts of one direction. To give a context another key costs OpenSSL
 * as much as sealing half a kilobyte, so the connections that are busy at one
 * time each keep theirs; however many there are, no more than 64 exist.
 */
export class ContextPool implements Disposable {
  readonly #make: () => AeadContext;
  readonly #contexts: AeadContext[] = [];
  /** Those whose key is not needed any more. */
  readonly #free: AeadContext[] = [];
  /** For keys that serve one message only. */
  #single: AeadContext | undefined;
  /** Whose turn it is to take another key when all are taken. */
  #next = 0;
  #disposed = false;

  /**
   * Makes an empty pool.
   *
   * @param method Gives the sizes.
   * @param make Makes a backend.
   * @param encrypt Whether the contexts seal.
   */
  constructor(method: CipherMethod, make: MakeBackend, encrypt: boolean) {
    const input = new BufferPlaces();
    const output = new BufferPlaces();
    this.#make = () => {
      const key = new NativeBuffer(method.keyLength);
      const nonce = new NativeBuffer(method.nonceLength);
      const memory = { key, nonce, input, output };
      return { backend: make(memory, encrypt), memory, owner: undefined };
    };
  }

  /**
   * The context for keys that serve one message only. Whoever puts a key into
   * its memory wipes it after the message.
   *
   * @throws {CipherError} If the library does not give a context.
   */
  get single(): AeadContext {
    return this.#single ??= this.#alive()();
  }

  /**
   * Gives a key a context, until it is given back or lost to another key.
   *
   * @param owner The key, which has none.
   * @returns The context, with the key in it.
   * @throws {CipherError} If the library does not give a context.
   */
  take(owner: ContextOwner): AeadContext {
    const make = this.#alive();
    const context = this.#free.pop() ?? this.#add(make) ?? this.#steal();
    context.owner = owner;
    context.memory.key.bytes.set(owner.bytes);
    context.backend.rekey();
    return context;
  }

  /**
   * Takes a context back, whose key is not needed any more.
   *
   * @param context Nobody's from now on.
   */
  giveBack(context: AeadContext): void {
    if (this.#disposed) return;
    this.#free.push(context);
    release(context);
    forgetKey(context);
  }

  /** Frees the contexts. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    if (this.#single !== undefined) this.#contexts.push(this.#single);
    this.#single = undefined;
    for (const context of this.#contexts) {
      release(context);
      forgetKey(context);
      context.backend[Symbol.dispose]();
    }
  }

  #alive(): () => AeadContext {
    if (!this.#disposed) return this.#make;
    throw new TypeError("Cannot use a cipher: it is disposed of");
  }

  #add(make: () => AeadContext): AeadContext | undefined {
    if (this.#contexts.length === MAX_CONTEXTS) return undefined;
    const context = make();
    this.#contexts.push(context);
    return context;
  }

  #steal(): AeadContext {
    const context = this.#contexts[this.#next]!;
    this.#next = (this.#next + 1) % MAX_CONTEXTS;
    release(context);
    return context;
  }
}

/** Takes a context away from its key. */
function release(context: AeadContext): void {
  const { owner } = context;
  if (owner?.sealer === context) owner.sealer = undefined;
  if (owner?.opener === context) owner.opener = undefined;
  context.owner = undefined;
}
