/**
 * Tests of the key derivation from passwords.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { deriveKey, md5 } from "./key.ts";
import { fromHex, toHex } from "../tests/support/bytes.ts";

/** EVP_BytesToKey(MD5, "foobar"), as every implementation makes it. */
const FOOBAR =
  "3858f62230ac3c915f300c664312c63f568378529614d22ddb49237d2f60bfdf";

Deno.test("deriveKey() cuts the same chain for every length", () => {
  for (const length of [1, 8, 16, 17, 24, 32]) {
    assertEquals(
      toHex(deriveKey("foobar", length)),
      FOOBAR.slice(0, 2 * length),
    );
  }
});

Deno.test("deriveKey() takes the password as UTF-8", () => {
  assertEquals(
    toHex(deriveKey("pässwörd", 16)),
    toHex(md5(fromHex("70c3a4737377c3b67264"), new Uint8Array(0))),
  );
});

Deno.test("deriveKey() gives the password itself for length 0", () => {
  assertEquals(toHex(deriveKey("foobar", 0)), "666f6f626172");
});

Deno.test("md5() digests both pieces in a row", () => {
  // RFC 1321, appendix A.5
  const rows: [string, string, string][] = [
    ["", "", "d41d8cd98f00b204e9800998ecf8427e"],
    ["616263", "", "900150983cd24fb0d6963f7d28e17f72"],
    ["61", "6263", "900150983cd24fb0d6963f7d28e17f72"],
  ];
  for (const [first, second, digest] of rows) {
    assertEquals(toHex(md5(fromHex(first), fromHex(second))), digest);
  }
});
