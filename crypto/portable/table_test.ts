/**
 * The `table` method against its published tables.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { TABLE_VECTORS } from "../../tests/vectors/crypto_table.ts";
import { makeStreamCipher } from "../_stream_cipher.ts";
import { findMethod } from "../methods.ts";
import type { StreamCipher } from "../provider.ts";
import { bindTable, makeTable } from "./table.ts";
import { fromHex, seededBytes, toHex } from "../../tests/support/bytes.ts";

const PASSWORD = new TextEncoder().encode("foobar!");
/** The cipher as a provider makes it. */
function makeTableCipher(): StreamCipher {
  return makeStreamCipher(findMethod("table")!, bindTable());
}

const EMPTY = new Uint8Array(0);

for (const { password, encrypt } of TABLE_VECTORS) {
  Deno.test(`makeTable() makes the published table of ${password}`, () => {
    const table = makeTable(new TextEncoder().encode(password));
    assertEquals(toHex(table.encrypt), encrypt);
    for (const [cipher, plain] of table.decrypt.entries()) {
      assertEquals(table.encrypt[plain], cipher);
    }
  });
}

Deno.test("StreamState.update() substitutes in both directions", () => {
  using cipher = makeTableCipher();
  using encrypt = cipher.start(PASSWORD, EMPTY);
  using decrypt = cipher.start(PASSWORD, EMPTY, { decrypt: true });
  const plaintext = seededBytes(1000, 1);
  const sent = new Uint8Array(1000);
  const received = new Uint8Array(1000);
  encrypt.update(plaintext.subarray(0, 300), sent);
  encrypt.update(plaintext.subarray(300), sent.subarray(300));
  decrypt.update(sent, received);
  assertEquals(received, plaintext);
  const table = fromHex(TABLE_VECTORS[0].encrypt);
  assertEquals(sent[0], table[plaintext[0]!]);
});

Deno.test("StreamCipher.start() makes another table when the password is another", () => {
  using cipher = makeTableCipher();
  const outputs = TABLE_VECTORS.map(({ password }) => {
    using state = cipher.start(new TextEncoder().encode(password), EMPTY);
    const output = new Uint8Array(1);
    state.update(new Uint8Array(1), output);
    return output[0];
  });
  assertEquals(
    outputs,
    TABLE_VECTORS.map(({ encrypt }) => fromHex(encrypt)[0]),
  );
});

Deno.test("StreamCipher.start() refuses an IV, StreamState.update() a short output", () => {
  using cipher = makeTableCipher();
  assertThrows(() => cipher.start(PASSWORD, new Uint8Array(1)), RangeError);
  using state = cipher.start(PASSWORD, EMPTY);
  assertThrows(() => state.update(new Uint8Array(2), EMPTY), RangeError);
});
