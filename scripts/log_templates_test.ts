/**
 * Tests of the rule about the templates of log lines.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import plugin from "./log_templates.ts";

const CASES: readonly (readonly [code: string, faults: number])[] = [
  ['logger.warn("{name} is gone", { name });', 0],
  ['logger.warn("{name} " + "is gone", { name });', 0],
  ["logger.warn(`it is gone`);", 0],
  ['logger.warn(old ? "old" : "new");', 0],
  ['function f() { const t = old ? "old" : "new"; logger.info(t, {}); }', 0],
  ['const t = "gone"; function f() { this.#logger.info(t); }', 0],
  ["console.error(`${name} is gone`);", 0],
  ["logger.warn(`${name} is gone`);", 1],
  ["logger.warn(messageOf(name) + more);", 1],
  ["logger.warn(error.message);", 1],
  ["function f(t: string) { logger.debug(t); }", 1],
  ['let t = "gone"; logger.error(t);', 1],
  ["const t = messageOf(name); this.#logger.error(t);", 1],
  ["myLogger.fatal(`${name} is gone`);", 1],
];

for (const [code, faults] of CASES) {
  Deno.test(`log-templates/constant finds ${faults} in ${code}`, () => {
    const found = Deno.lint.runPlugin(plugin, "relay/x.ts", code);
    assertEquals(
      found.map(({ id }) => id),
      Array(faults).fill(
        "log-templates/constant",
      ),
    );
  });
}

Deno.test("log-templates/constant leaves tests alone", () => {
  const code = "logger.warn(`${name} is gone`);";
  assertEquals(Deno.lint.runPlugin(plugin, "relay/x_test.ts", code), []);
});
