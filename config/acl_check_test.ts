/**
 * Tests of what is said about the rules of ACL files.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { read, readGood, type Start } from "./_test_fixture.ts";
import type { AclIssue } from "./source.ts";
import type { TextFile } from "./types.ts";

const LOCALS = '[[locals]]\noutbound = "direct"\nacl = "own.acl"\n' +
  '[[locals]]\nlocal_port = 1081\noutbound = "direct"\nacl = "own.acl"\n';

/** A client with two ACL files; each line of them that has a `!` is wrong. */
function startOf(
  keys: string,
  { common = "", own = "" } = {},
): Start & { readonly checked: TextFile[] } {
  const checked: TextFile[] = [];
  return {
    role: "sslocal",
    files: {
      "c.toml": `acl = "common.acl"\n${keys}${LOCALS}`,
      "common.acl": common,
      "own.acl": own,
    },
    checked,
    checkAcl(file): Promise<AclIssue[]> {
      checked.push(file);
      const lines = file.text.split("\n").map((text, i) => ({ text, i }));
      return Promise.resolve(
        lines.filter(({ text }) => text.includes("!")).map(({ text, i }) => ({
          line: i + 1,
          column: text.indexOf("!") + 1,
          message: "expected a rule",
        })),
      );
    },
  };
}

for (const line of ["-c c.toml", "-c c.toml --check"]) {
  Deno.test(`readConfig() reports the rules of every ACL file with all else when asked for ${line}`, async () => {
    const result = await read(
      line,
      startOf("local_prot = 1\n", { common: "\n !\n", own: "!\n!\n" }),
    );
    assertEquals(result.kind, "error");
    if (result.kind !== "error") return;
    assertEquals(result.exitCode, 1);
    const errors = result.messages.filter(({ level }) => level === "error");
    assertEquals(
      errors.map(({ style, text }) => `${style} ${text}`),
      [
        'log c.toml:2:1: Unknown key "local_prot": did you mean "local_port"?',
        "log own.acl:1:1: expected a rule",
        "log own.acl:2:1: expected a rule",
        "log common.acl:2:2: expected a rule",
      ],
    );
  });
}

Deno.test("readConfig() reads each ACL file once and gives on the object that it has checked", async () => {
  const start = startOf("", { common: "a", own: "b" });
  const { acl, locals } = await readGood("-c c.toml", start);
  assertEquals(start.checked.map(({ path }) => path), [
    "own.acl",
    "common.acl",
  ]);
  const [own, common] = start.checked;
  assertEquals(acl === common, true);
  assertEquals(locals.map((local) => local.acl === own), [true, true]);
});

Deno.test("readConfig() warns of rules that have no effect, with their role", async () => {
  const roles: boolean[] = [];
  const start: Start = {
    role: "ssserver",
    files: {
      "c.toml": 'password = "0123456789abcdef"\nmethod = "aes-256-gcm"\n' +
        'acl = "names.acl"\n',
      "names.acl": "||a.example",
    },
    checkAcl(_file, isClient): Promise<AclIssue[]> {
      roles.push(isClient);
      const message = "it has no effect";
      return Promise.resolve([
        { line: 1, column: 2, message, isHarmless: true },
      ]);
    },
  };
  const result = await read("-c c.toml", start);
  assertEquals(result.kind, "config");
  if (result.kind !== "config") return;
  const warnings = result.warnings.map(({ level, text }) => `${level} ${text}`);
  assertEquals(
    warnings.filter((line) => line.includes("names.acl")),
    ["warning names.acl:1:2: it has no effect"],
  );
  assertEquals(roles, [false]);
});

Deno.test("readConfig() looks at no rules when a daemon is to stop", async () => {
  const start = startOf("", { common: "!", own: "!" });
  const result = await read("-c c.toml -d stop", start);
  assertEquals([result.kind, start.checked], ["config", []]);
});
