/**
 * Tables that are refused: each with one line that names the place and what to
 * do, exactly.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { readIssues, type Start } from "./_test_fixture.ts";

import { HEAD, ROWS } from "./_bad_tables_fixture.ts";

for (const { name, text, issues, role = "sslocal", files = {} } of ROWS) {
  Deno.test(`readConfig() refuses ${name}`, async () => {
    const start: Start = { role, files: { ...files, "f.toml": HEAD + text } };
    const found = await readIssues("-c f.toml", start);
    assertEquals(
      found.map((each) => each.replace(/^f\.toml:/, "")),
      [...issues],
    );
    for (const each of found) {
      assertEquals(each.includes("hunter2"), false, "no secret");
      assertEquals(each.includes("\n"), false, "one line");
    }
  });
}

Deno.test("readConfig() places what is wrong in JSON too", async () => {
  const text = '{\n  "servers": [\n    {"server": "h", "port": 1,\n' +
    '     "password": "hunter2-hunter2"}\n  ],\n  "groups": [{\n' +
    '    "name": "g", "members": ["x"]\n  }]\n}\n';
  assertEquals(
    await readIssues("-c f.json", {
      role: "sslocal",
      files: { "f.json": text },
    }),
    [
      'f.json:7:30: groups[0] has the member "x", but no server or group is ' +
      "called that",
    ],
  );
});

Deno.test("readConfig() refuses more servers than there are ports", async () => {
  const text = JSON.stringify({
    server: Array.from({ length: 300 }, (_, i) => `h${i}`),
    server_port: Array.from({ length: 300 }, (_, i) => i + 1),
    password: "hunter2-hunter2",
  });
  const start: Start = { role: "sslocal", files: { "f.json": text } };
  assertEquals(await readIssues("-c f.json", start), [
    "f.json:1:11: 300 servers with 300 ports each are more than 65536",
  ]);
});
