/**
 * The `table` method, the first that shadowsocks had: a fixed substitution of
 * bytes made from the password. It hides nothing from anybody who looks: it is
 * here so that old peers can be reached.
 *
 * ```text
 * a      the first 8 bytes of MD5(password), little-endian
 * table  the bytes 0…255, sorted 1023 times by a stable sort; the i-th time,
 *        from 1, by a mod (byte + i)
 * ```
 *
 * @module
 */

import { sameBytes, type StreamBinding } from "../_stream_cipher.ts";
import { md5 } from "../key.ts";
import type { StreamState } from "../provider.ts";

/** How often the table is sorted. */
const ROUNDS = 1023;
/** Entries of a table. */
const SIZE = 256;

/** Both directions of a substitution. */
export interface SubstitutionTable {
  /** Ciphertext by plaintext, 256 bytes. */
  readonly encrypt: Uint8Array;
  /** Plaintext by ciphertext, 256 bytes. */
  readonly decrypt: Uint8Array;
}

/**
 * Makes the substitution of a password. Takes tens of milliseconds.
 *
 * @param password The bytes of the password.
 * @returns Both directions.
 */
export function makeTable(password: Uint8Array): SubstitutionTable {
  const remainders = remaindersOf(md5(password, new Uint8Array(0)));
  const table = Array.from({ length: SIZE }, (_, byte) => byte);
  for (let round = 1; round <= ROUNDS; round++) {
    table.sort((x, y) => remainders[x + round]! - remainders[y + round]!);
  }
  const encrypt = Uint8Array.from(table);
  const decrypt = new Uint8Array(SIZE);
  for (const [plain, cipher] of table.entries()) decrypt[cipher] = plain;
  return { encrypt, decrypt };
}

/**
 * Binds the `table` method. Its key is the password, of any length, and its IV
 * is empty. The table of the last password is kept, so that only the first
 * connection waits for it.
 *
 * @returns What starts a direction, and what all of them share.
 */
export function bindTable(): StreamBinding {
  let password = new Uint8Array(0);
  let table: SubstitutionTable | undefined;
  return {
    start(key, _iv, decrypt): StreamState {
      if (table === undefined || !sameBytes(key, password)) {
        password = key.slice();
        table = makeTable(key);
      }
      return substitution(decrypt ? table.decrypt : table.encrypt);
    },
    shared: {
      [Symbol.dispose](): void {
        password.fill(0);
        table = undefined;
      },
    },
  };
}

/** Gives `a mod n` for every n that is asked for. */
function remaindersOf(digest: Uint8Array): Uint16Array {
  const view = new DataView(digest.buffer, digest.byteOffset);
  const low = view.getUint32(0, true);
  const high = view.getUint32(4, true);
  const remainders = new Uint16Array(SIZE + ROUNDS);
  for (let n = 1; n < remainders.length; n++) {
    // a = high · 2^32 + low; no product here exceeds 21 bits.
    const upper = (high % n) * (2 ** 32 % n);
    remainders[n] = (upper + low % n) % n;
  }
  return remainders;
}

function substitution(table: Uint8Array): StreamState {
  return {
    update(input, output): void {
      for (let at = 0; at < input.length; at++) {
        output[at] = table[input[at]!]!;
      }
    },
    [Symbol.dispose](): void {},
  };
}
