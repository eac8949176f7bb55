/**
 * What the system has not is found before anything is opened.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { readGood, readIssues, type Start } from "./_test_fixture.ts";

const HEAD = 'password = "a-long-password"\nmethod = "aes-256-gcm"\n';

function start(text: string): Start {
  return {
    files: { "c.toml": HEAD + text },
    hasFolderOf: (path) => !path.startsWith("/none/"),
    hasUser: (name) => Promise.resolve(name === "nobody"),
  };
}

/** What follows the head, more arguments, and the issue. */
const MISSING: readonly (readonly [string, string, string])[] = [
  [
    '[access_log]\nfile = "/none/a.log"\n',
    "--check",
    "c.toml:4:8: Cannot open access log file /none/a.log: its folder does " +
    'not exist (key "access_log")',
  ],
  [
    'log-file = "/none/s.log"\n',
    "-d start",
    "c.toml:3:12: Cannot open log file /none/s.log: its folder does not " +
    'exist (key "log-file")',
  ],
  [
    "",
    "-d restart --pid-file /none/s.pid",
    "Cannot open pid file /none/s.pid: its folder does not exist (key " +
    '"pid-file")',
  ],
  ['user = "nosuch"\n', "", "c.toml:3:8: user not found: nosuch"],
];

for (const [text, args, expected] of MISSING) {
  Deno.test(`readConfig() looks for what the start needs: ${text || args}`, async () => {
    assertEquals(await readIssues(`-c c.toml ${args}`, start(text)), [
      expected,
    ]);
  });
}

Deno.test("readConfig() looks for nothing that the start does not need", async () => {
  const text = 'log-file = "/none/s.log"\nuser = "nobody"\n' +
    '[access_log]\nfile = "-"\n';
  assertEquals((await readGood("-c c.toml", start(text))).user, "nobody");
  const stop = 'user = "nosuch"\n[access_log]\nfile = "/none/a.log"\n';
  assertEquals(
    (await readGood("-c c.toml -d stop", start(stop))).daemon,
    "stop",
  );
});
