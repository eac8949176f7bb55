/**
 * For tests of the 2022 edition: its format written out a second time, and its
 * clocks.
 *
 * @module
 */

import { blake3 } from "@noble/hashes/blake3.js";
import { createCipheriv } from "node:crypto";
import { deriveKey } from "../crypto/mod.ts";
import { type Row, ROWS, Serving } from "./_edition_fixture.ts";
import type { EditionClock } from "./clock.ts";
import type { Edition } from "./edition.ts";
import { concat, seededBytes, utf8 } from "../tests/support/bytes.ts";
import { seal } from "../tests/support/aead.ts";

/** One row a method; the contract runs over all libraries. */
export const METHOD_ROWS = ROWS.filter(({ is2022, method }, index) =>
  is2022 && ROWS.findIndex((row) => row.method === method) === index
);
export const AES_ROWS = METHOD_ROWS.filter(({ method }) =>
  method.cipher.startsWith("aes-")
);

export const HELLO = utf8("hello");
export const NONE = new Uint8Array(0);
/** `example.com:443` as an address header. */
export const ADDRESS = concat(
  Uint8Array.of(3, 11),
  utf8("example.com"),
  Uint8Array.of(1, 187),
);
/** The password of the fixture. */
export const PASSWORD = "correct horse";
/** Seconds since 1970. */
export const NOW = 1_700_000_000;
/** Bytes of the fixed header of a request and its tag. */
export const FIXED = 27;

/** Both clocks, in milliseconds. */
export class TestClock implements EditionClock {
  unix = NOW * 1000;
  elapsed = 5000;

  time(): number {
    return this.unix;
  }

  passed(): number {
    return this.elapsed;
  }
}

/** Defines a test of every method. */
export function test2022(
  name: string,
  body: (row: Row, clock: TestClock) => void,
  rows: readonly Row[] = METHOD_ROWS,
): void {
  Deno.test(name, async (t) => {
    for (const row of rows) {
      await t.step(row.name, () => body(row, new TestClock()));
    }
  });
}

/** A direction of a connection, written out a second time. */
export class Writer {
  readonly wire: Uint8Array[] = [];
  readonly #row: Row;
  readonly #key: Uint8Array;
  #counter = 0;

  constructor(row: Row, password: string, salt: Uint8Array) {
    this.#row = row;
    const psk = deriveKey(password, row.method.keyLength);
    const context = utf8("shadowsocks 2022 session subkey");
    this.#key = blake3(concat(psk, salt), { context })
      .subarray(0, psk.length);
    this.wire.push(salt);
  }

  /** Adds bytes as they are. */
  plain(bytes: Uint8Array): this {
    this.wire.push(bytes);
    return this;
  }

  seal(text: Uint8Array): this {
    const { provider, method } = this.#row;
    using cipher = provider.aead(method);
    using key = cipher.importKey(this.#key);
    const nonce = new Uint8Array(12);
    nonce[0] = this.#counter++;
    const sealed = new Uint8Array(text.length + 16);
    seal(key, nonce, text, sealed);
    this.wire.push(sealed);
    return this;
  }

  chunk(payload: Uint8Array): this {
    return this.seal(u16(payload.length)).seal(payload);
  }

  get bytes(): Uint8Array {
    return concat(...this.wire);
  }
}

/** Two bytes, big endian. */
export function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value);
}

/** Eight bytes, big endian. */
export function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** One identity header (SIP023): says the second password to the first. */
export function identity(
  { method }: Row,
  [of, next]: readonly [string, string],
  salt: Uint8Array,
): Uint8Array {
  const psk = deriveKey(of, method.keyLength);
  const context = utf8("shadowsocks 2022 identity subkey");
  const subkey = blake3(concat(psk, salt), { context })
    .subarray(0, psk.length);
  const cipher = createCipheriv(`aes-${8 * psk.length}-ecb`, subkey, null);
  cipher.setAutoPadding(false);
  const hash = blake3(deriveKey(next, method.keyLength)).subarray(0, 16);
  const header = Uint8Array.from(cipher.update(hash));
  cipher.final();
  return header;
}

/** What {@linkcode request} writes. */
export interface Request {
  readonly seed?: number;
  readonly type?: number;
  readonly time?: number;
  /** Default: an address, no padding, "hello". */
  readonly variable?: Uint8Array;
  readonly password?: string;
  readonly identities?: readonly (readonly [string, string])[];
}

/** A request; more may follow. */
export function request(row: Row, options: Request = {}): Writer {
  const { seed = 7, type = 0, time = NOW, password = PASSWORD } = options;
  const { variable = concat(ADDRESS, u16(0), HELLO) } = options;
  const salt = seededBytes(row.method.saltLength, seed);
  const writer = new Writer(row, password, salt);
  for (const pair of options.identities ?? []) {
    writer.plain(identity(row, pair, salt));
  }
  const fixed = concat(Uint8Array.of(type), u64(time), u16(variable.length));
  return writer.seal(fixed).seal(variable);
}

/** A connection of a server that gets these pieces. */
export function serve(server: Edition, ...pieces: Uint8Array[]): Serving {
  return new Serving(server.newServerStream()).feed(...pieces);
}

/** How a request ends, in two words. */
export function verdict({ answer }: Serving): string {
  if (answer?.kind !== "refuse") return answer?.kind ?? "";
  return `${answer.status}: ${answer.reason}`;
}
