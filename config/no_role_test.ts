/**
 * Tests of command lines without a role.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { answerWithoutRole } from "./no_role.ts";
import { VERSION } from "./usage.ts";

const ROLES = "sslocal, ssserver, sstunnel, ssmanager, demo, genkey, schema";

/** First word, the rest, the exit code, and what the last line has. */
const LINES:
  readonly (readonly [string | undefined, string[], 0 | 2, string])[] = [
    [undefined, [], 2, `ERROR: no role given: ${ROLES}`],
    ["--help", [], 0, '"ROLE --help" lists options.'],
    ["-h", [], 0, '"ROLE --help" lists options.'],
    ["help", [], 0, '"ROLE --help" lists options.'],
    ["--version", [], 0, "TypeScript on Deno"],
    ["foo", [], 2, `ERROR: foo is no role: the roles are ${ROLES}`],
    ["ss-local", [], 2, "ERROR: ss-local is no role: sslocal does the same"],
    ["-c", ["a.json"], 2, `ERROR: the role comes first, one of ${ROLES}`],
    ["ss://hunter2@h:1", [], 2, "ERROR: the role comes first, one of"],
    ["schema", ["--help"], 0, "Prints the JSON Schema"],
    ["genkey", ["--help"], 0, "password.txt"],
    ["genkey", ["aes-256-gmc"], 2, "did you mean aes-256-gcm?"],
    ["genkey", ["2022-x"], 2, "those of 2022 are 2022-blake3-aes-128-gcm, "],
    ["genkey", ["hunter2-hunter2"], 2, "method a text of 15 characters not"],
    ["genkey", ["aes-256-gcm", "x"], 2, "ERROR: genkey takes one METHOD"],
    ["schema", ["x"], 2, "ERROR: schema takes no options"],
  ];

for (const [word, args, exitCode, last] of LINES) {
  Deno.test(`answerWithoutRole() answers ${[word, ...args].join(" ")}`, () => {
    const answer = answerWithoutRole(word, args);
    assertEquals(answer.exitCode, exitCode);
    assertStringIncludes(answer.text.trimEnd().split("\n").at(-1)!, last);
    assert(!answer.text.includes("hunter2"));
  });
}

Deno.test("answerWithoutRole() tells the version", () => {
  assert(answerWithoutRole("--version", []).text.includes(VERSION));
});
