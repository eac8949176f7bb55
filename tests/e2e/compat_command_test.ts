/**
 * The lines that scripts for the original look for: exactly those of level
 * WARNING and ERROR, and the exit code.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { runRole, spawnRole } from "../support/mod.ts";

/** Arguments, and the only line of level WARNING that they lead to. */
const WARNINGS: readonly (readonly [args: string, line: string])[] = [
  [
    "-m rc4-md5 -k testrc4 -s 127.0.0.1 -p 8388",
    "warning: server set to listen on 127.0.0.1:8388, are you sure?",
  ],
  [
    "-m rc4-md5 -k testrc4 -s 192.0.2.1 -p 8388 -t10",
    "warning: your timeout 10 seems too short",
  ],
  [
    "-m rc4-md5 -k testrc4 -s 192.0.2.1 -p 8388 -t1000",
    "warning: your timeout 1000 seems too long",
  ],
  [
    "-m rc4 -k testrc4 -s 192.0.2.1 -p 8388",
    "warning: RC4 is not safe; please use a safer cipher, like AES-256-CFB",
  ],
  [
    "-m table -k testrc4 -s 192.0.2.1 -p 8388",
    "warning: table is not safe; please use a safer cipher, like AES-256-CFB",
  ],
];

for (const [args, line] of WARNINGS) {
  Deno.test(`sslocal ${args} warns once`, async () => {
    await using local = await spawnRole("sslocal", {
      args: [...args.split(" "), "-l", "0"],
    });
    assertEquals(linesOf("WARNING", local.program.lines), [`  ${line}`]);
  });
}

/** Role and arguments, the only line of level ERROR, the exit code. */
const ERRORS: readonly (readonly [
  role: "sslocal" | "ssserver",
  args: string,
  line: string,
  code: number,
])[] = [
  [
    "sslocal",
    "-m rc4-md5 -k mypassword -s 192.0.2.1 -p 8388",
    "DON'T USE DEFAULT PASSWORD! Please change it in your config.json!",
    1,
  ],
  ["sslocal", "-m rc4-md5 -p 8388 -k testrc4", "server addr not specified", 2],
  ["sslocal", "-m rc4-md5 -p 8388 -s 192.0.2.1", "password not specified", 2],
  [
    "ssserver",
    "-m rc4-md5 -p 8388 -s 192.0.2.1",
    "password or port_password not specified",
    2,
  ],
  [
    "ssserver",
    "--forbidden-ip 127.0.0.1/4a -m rc4-md5 -k 12345 -p 8388",
    "Not a valid CIDR notation: 127.0.0.1/4a",
    2,
  ],
];

for (const [role, args, line, code] of ERRORS) {
  Deno.test(`${role} ${args} exits ${code}`, async () => {
    const result = await runRole(role, { args: args.split(" ") });
    assertEquals(linesOf("ERROR", result.lines), [`    ${line}`]);
    assertEquals(result.code, code);
  });
}

for (const role of ["sslocal", "ssserver"] as const) {
  Deno.test(`${role} without anything says how to use it, the error last, and exits 2`, async () => {
    const result = await runRole(role);
    assertEquals(result.code, 2);
    assertMatch(result.output, /^usage: [^]*\nERROR: config not specified\n$/);
  });
}

/** What follows the name of a level in each line that has it. */
function linesOf(level: string, lines: readonly string[]): readonly string[] {
  return lines.filter((line) => line.includes(` ${level} `))
    .map((line) => line.slice(line.indexOf(level) + level.length));
}
