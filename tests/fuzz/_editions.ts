/**
 * The editions that are fuzzed, a client's and a server's of each.
 *
 * @module
 */

import { findMethod, openProviders } from "../../crypto/mod.ts";
import { type Edition, openEdition } from "../../shadowsocks/mod.ts";
import type { Endpoint } from "../../socks5/mod.ts";
import { seededBytes, toBase64 } from "../support/mod.ts";
import type { Choices } from "./_choices.ts";

/** What makes editions behave alike. */
export type Family = "aead" | "stream" | "one-time auth" | "2022";

/** Every family, with methods of all framings, nonces and salts. */
const FAMILIES: Readonly<Record<Family, readonly string[]>> = {
  "aead": [
    "aes-128-gcm",
    "aes-256-gcm",
    "chacha20-ietf-poly1305",
    "xchacha20-ietf-poly1305",
  ],
  "stream": ["aes-256-cfb", "rc4-md5", "chacha20-ietf", "rc4", "table"],
  "one-time auth": ["aes-128-cfb", "rc4-md5", "aes-128-gcm"],
  "2022": [
    "2022-blake3-aes-128-gcm",
    "2022-blake3-aes-256-gcm",
    "2022-blake3-chacha20-poly1305",
  ],
};

/** Those that this version has. */
export const ALL_FAMILIES: readonly Family[] =
  (["aead", "stream", "one-time auth", "2022"] as const).filter((family) =>
    findMethod(FAMILIES[family][0]!) !== undefined
  );

/** Opened for the whole process: native libraries stay loaded. */
const PROVIDERS = await openProviders();

/** A client and a server that understand each other. */
export interface Pair extends Disposable {
  /** The method. */
  readonly name: string;
  /** The client's. */
  readonly client: Edition;
  /** The server's. */
  readonly server: Edition;
}

/**
 * Makes the password of a method: the 2022 edition wants a key in Base64.
 *
 * @param method Its name.
 * @returns The password of all tests of this folder.
 */
export function passwordOf(method: string): string {
  if (!method.startsWith("2022-")) return "what both sides know";
  const length = findMethod(method)!.keyLength;
  return toBase64(seededBytes(length, 22));
}

/**
 * Opens the editions of a family.
 *
 * @param family Which.
 * @returns A pair for each method that this version has.
 */
export async function openPairs(family: Family): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (const method of FAMILIES[family]) {
    if (findMethod(method) === undefined) continue;
    const options = {
      method,
      password: passwordOf(method),
      oneTimeAuth: family === "one-time auth",
    };
    const [client, server] = [
      await openEdition(options, { providers: PROVIDERS }),
      await openEdition(options, { providers: PROVIDERS }),
    ];
    pairs.push({
      name: method,
      client,
      server,
      [Symbol.dispose]: () => {
        client[Symbol.dispose]();
        server[Symbol.dispose]();
      },
    });
  }
  return pairs;
}

/**
 * Chooses a target that has an address header.
 *
 * @param choices What it is made of.
 * @returns The target.
 */
export function chooseEndpoint(choices: Choices): Endpoint {
  const port = choices.below(65_536);
  switch (choices.below(4)) {
    case 1:
      return { bytes: choices.bytes(4), port };
    case 2:
      return { bytes: choices.bytes(16), port };
    default:
      return { domain: choices.text(1 + choices.below(255)), port };
  }
}

/**
 * Chooses what may stand where an address header is expected: every type, cut
 * anywhere, names with any byte.
 *
 * @param choices What it is made of.
 * @returns The bytes.
 */
export function chooseHeader(choices: Choices): Uint8Array {
  const type = choices.pick([3, 1, 4, 0, 2, 0x11, 0x13, 0x14, 0x43, 0xff]);
  const length = choices.pick([0, 1, 11, 63, 254, 255]);
  const name = choices.bytes(choices.pick([length, length >> 1, 0]));
  const header = type % 16 === 3
    ? [type, length, ...name]
    : [type, ...choices.bytes(choices.pick([4, 16, 0, 3, 15]))];
  return Uint8Array.from([...header, ...choices.bytes(choices.below(4))]);
}
