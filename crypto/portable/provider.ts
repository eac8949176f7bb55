/**
 * The provider that needs no native library: what the runtime's node:crypto
 * has, and noble-ciphers for the rest. It is the last choice: right, and much
 * slower than a library. The `table` method, which no library has, is here too.
 *
 * @module
 */

import { makeProvider } from "../_binding.ts";
import { type Keystream, startKeystream } from "../_keystream.ts";
import type { StreamBinding } from "../_stream_cipher.ts";
import type { CryptoProvider } from "../provider.ts";
import { findPortableAead } from "./aead.ts";
import { findPortableAes } from "./aes.ts";
import { findPortableKeystream } from "./keystream.ts";
import { Rc4 } from "./rc4.ts";
import { bindTable } from "./table.ts";

/**
 * Opens the portable provider.
 *
 * @returns The provider, which is always there.
 */
export function openPortable(): CryptoProvider {
  return makeProvider({
    name: "portable",
    version: `portable (Deno ${Deno.version.deno})`,
    aead: ({ cipher }) => {
      const make = findPortableAead(cipher);
      return make && { make };
    },
    stream: ({ cipher }) => {
      switch (cipher) {
        case "table":
          return bindTable();
        case "rc4":
        case "rc4-md5":
          return { start: (key) => new Rc4(key) };
      }
      const keystream = findPortableKeystream(cipher);
      if (keystream !== undefined) return bindKeystream(keystream);
      const start = findPortableAes(cipher);
      return start && { start };
    },
    close: () => {},
  });
}

function bindKeystream(keystream: Keystream): StreamBinding {
  return { start: (key, iv) => startKeystream(keystream, key, iv) };
}
