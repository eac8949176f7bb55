/**
 * Tests that the documentation of the configuration is up to date.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { PAGE, withKeyTables } from "./config_docs.ts";

Deno.test("withKeyTables() changes nothing on the page as it is", async () => {
  const page = await Deno.readTextFile(PAGE);
  assertEquals(
    page,
    withKeyTables(page),
    "docs/configuration.md is stale: deno run -A scripts/config_docs.ts",
  );
});

Deno.test("withKeyTables() throws when the page has no place for tables", () => {
  assertThrows(() => withKeyTables("# Configuration\n"), Error, "no marks");
});
