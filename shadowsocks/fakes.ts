/**
 * Editions for the tests of other folders: the real ones, with the libraries of
 * this machine. Product code does not import it.
 *
 * @module
 */

import { findMethod, openProviders } from "../crypto/mod.ts";
import type { EditionClock } from "./clock.ts";
import type { Edition, SideCodec } from "./edition.ts";
import { type EditionOptions, openEdition } from "./open_edition.ts";
import type { ReplayMemory } from "./replay_memory.ts";
import { concat } from "../tests/support/bytes.ts";

/** A method that authenticates, with a salt of 16 bytes. */
export const AEAD_METHOD = "aes-128-gcm";
/** A method that does not, with an IV of 16 bytes. */
export const STREAM_METHOD = "rc4-md5";

/** A method of the 2022 edition, and a key for it. */
export const NEW_METHOD = "2022-blake3-aes-128-gcm";
/** A key of {@linkcode NEW_METHOD}. */
export const NEW_KEY = "AAECAwQFBgcICQoLDA0ODw==";

/** Opened outside of a test: native libraries stay loaded. */
const PROVIDERS = await openProviders();
for (const name of [AEAD_METHOD, STREAM_METHOD]) {
  await PROVIDERS.forMethod(findMethod(name)!);
}

/**
 * Makes an edition; two with the same options understand each other.
 *
 * @param options What differs from the defaults.
 * @param replayMemory Where salts are remembered. Default: in it alone.
 * @param clock What time it is, for the 2022 edition. Default: the system's.
 * @returns The edition.
 */
export function testEdition(
  options: Partial<EditionOptions> = {},
  replayMemory?: ReplayMemory,
  clock?: EditionClock,
): Promise<Edition> {
  return openEdition({
    method: AEAD_METHOD,
    password: "what both sides know",
    ...options,
  }, { providers: PROVIDERS, replayMemory, clock });
}

/**
 * Seals any plaintext as the beginning of a connection, also such as no client
 * would send.
 *
 * @param edition Method and key.
 * @param plaintext Address header, payload, or neither.
 * @returns What a client with the key could have sent.
 */
export function sealFlight(
  edition: Edition,
  plaintext: Uint8Array,
): Uint8Array {
  // An answer has no head of its own.
  using stream = edition.newServerStream();
  return encodeAll(stream, plaintext);
}

/**
 * Encodes payload in one go.
 *
 * @param codec One side.
 * @param payload Default: nothing, which asks for the head alone.
 * @returns The bytes for the peer.
 */
export function encodeAll(
  codec: SideCodec,
  payload: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const { length } = payload;
  const output = new Uint8Array(length + (length >> 3) + 8192);
  return output.slice(0, codec.encode(payload, output, length));
}

/**
 * Decodes bytes that end between two frames.
 *
 * @param codec One side.
 * @param received The bytes.
 * @returns The payload; undefined if they are wrong.
 */
export function decodeAll(
  codec: SideCodec,
  ...received: readonly Uint8Array[]
): Uint8Array | undefined {
  const data = concat(...received);
  const output = new Uint8Array(data.length + 65_536);
  const length = codec.decode(data, output, data.length);
  return length < 0 ? undefined : output.slice(0, length);
}
