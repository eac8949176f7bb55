/**
 * Tests of the usage and version texts.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import manifest from "../deno.json" with { type: "json" };
import { methodNames } from "../crypto/methods.ts";
import { optionsOf } from "./_options.ts";
import { TOP } from "./keys/_keys.ts";
import { usageText, versionText } from "./usage.ts";

const ROLES = ["sslocal", "ssserver", "sstunnel", "ssmanager"] as const;

for (const role of ROLES) {
  Deno.test(`usageText() fits 80 columns and is whole for ${role}`, () => {
    const text = usageText(role);
    assert(text.startsWith(`usage: ${role} [OPTION]...\n`));
    for (const line of text.split("\n")) assert(line.length < 80, line);
    for (const option of optionsOf(role)) {
      if (option.help === undefined) continue;
      if (option.short) assertStringIncludes(text, `-${option.short}`);
      if (option.long) assertStringIncludes(text, `--${option.long}`);
    }
    for (const name of methodNames()) assertStringIncludes(text, name);
  });

  Deno.test(`optionsOf() names known keys, and each option once, for ${role}`, () => {
    const names = new Set<string>();
    for (const { effect, short, long } of optionsOf(role)) {
      if (effect.kind === "value" || effect.kind === "constant") {
        assert(Object.hasOwn(TOP.keys, effect.key), effect.key);
      }
      for (const name of [short, long]) {
        if (name === undefined) continue;
        assert(!names.has(name), name);
        names.add(name);
      }
    }
  });
}

Deno.test("versionText() begins as scripts expect it", () => {
  const [first, second] = versionText().split("\n");
  assertEquals(first, `Shadowsocks ${manifest.version}`);
  assertEquals(second, "TypeScript on Deno, in one executable");
});
