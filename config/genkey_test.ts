/**
 * Tests of new keys, and of how keys of 2022 are judged.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { CIPHER_METHODS } from "../crypto/methods.ts";
import {
  readGood,
  readIssues,
  readWarnings,
  type Start,
} from "./_test_fixture.ts";
import { makeKey } from "./genkey.ts";
import type { Role } from "./types.ts";

for (const [name, row] of CIPHER_METHODS) {
  Deno.test(`makeKey() makes a key that is taken for ${name}`, async () => {
    const { key = "" } = makeKey(name);
    if (row.edition === "2022") {
      assertEquals(atob(key).length, row.keyLength);
    } else {
      assertMatch(key, /^[A-Za-z0-9]{32}$/);
    }
    const files = { "f.toml": `method = "${name}"\npassword = "${key}"\n` };
    assertEquals((await readGood("-c f.toml", { files })).password, key);
  });
}

Deno.test("makeKey() makes another key each time", () => {
  const keys = new Set(Array.from({ length: 100 }, () => makeKey(undefined)));
  assertEquals(new Set([...keys].map(({ key }) => key)).size, 100);
});

Deno.test("makeKey() uses all of the random bytes", () => {
  const ones = (bytes: Uint8Array): void => void bytes.fill(0xff);
  assertEquals(makeKey(undefined, ones).key, "y".repeat(32));
  assertEquals(
    makeKey("2022-BLAKE3-aes-128-gcm", ones).key,
    "/////////////////////w==",
  );
});

const K16 = "AAECAwQFBgcICQoLDA0ODw==";
const U16 = "__79_Pv6-fj39vX08_Lx8A";
const K32 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const FLAT = "the password of the server of the outermost keys cannot be used";

function make(method: string, bytes: number): string {
  return `${method} takes base64 of ${bytes} bytes, such as \`shadowsocks ` +
    `genkey ${method}\` makes`;
}

const A128 = "2022-blake3-aes-128-gcm";
const A256 = "2022-blake3-aes-256-gcm";
const CHACHA = "2022-blake3-chacha20-poly1305";

/** Method, password, and what is wrong with it. */
const KEYS: readonly (readonly [
  method: string,
  password: string,
  problem: string | undefined,
  role: Role,
])[] = [
  [A128, K16, undefined, "ssserver"],
  [A128, K16.replace("==", ""), undefined, "ssserver"],
  [A128, U16, undefined, "ssserver"],
  [A256, K32, undefined, "sslocal"],
  [CHACHA, K32, undefined, "sslocal"],
  [A128, `${K16}:${U16}`, undefined, "sslocal"],
  [A128, `${K16}:${U16}:${K16}`, undefined, "sslocal"],
  [A128, K32, `it has 32 bytes; ${make(A128, 16)}`, "ssserver"],
  [A256, K16, `it has 16 bytes; ${make(A256, 32)}`, "ssserver"],
  [CHACHA, K16, `it has 16 bytes; ${make(CHACHA, 32)}`, "sslocal"],
  [A128, "hunter2-hunter2", `it has 11 bytes; ${make(A128, 16)}`, "ssserver"],
  [A128, "hunter2 hunter2", `it is not base64; ${make(A128, 16)}`, "ssserver"],
  [A128, "hunter2hunter", `it is not base64; ${make(A128, 16)}`, "ssserver"],
  [
    A128,
    `${K16}:${K32}`,
    `key 2 of 2: it has 32 bytes; ${make(A128, 16)}`,
    "sslocal",
  ],
  [A128, `${K16}:`, `key 2 of 2: it has 0 bytes; ${make(A128, 16)}`, "sslocal"],
  [
    A128,
    `${K16}:${U16}`,
    "it is several keys with colons between them, as clients have them; a " +
    "server has the one of its own",
    "ssserver",
  ],
  [
    CHACHA,
    `${K32}:${K32}`,
    `${CHACHA} has no identity headers: give one key`,
    "sslocal",
  ],
];

for (const [method, password, problem, role] of KEYS) {
  const what = problem === undefined ? "takes" : "refuses";
  Deno.test(`readConfig() ${what} ${password} for ${method} in ${role}`, async () => {
    const server = role === "sslocal" ? 'server = "h"\n' : "";
    const files = {
      "f.toml": `${server}method = "${method}"\npassword = "${password}"\n`,
    };
    const start: Start = { role, files };
    const env = { SS_PASSWORD: password };
    const line = `-m ${method} -p 1${role === "sslocal" ? " -s h" : ""}`;
    if (problem === undefined) {
      const config = await readGood("-c f.toml", start);
      assertEquals(config.servers[0]?.password, password);
      await readGood(`${line} -k ${password}`, { role });
      return;
    }
    const text = `${FLAT}: ${problem}`;
    const found = await readIssues("-c f.toml", start);
    assertEquals(found, [`f.toml:${role === "sslocal" ? 3 : 2}:1: ${text}`]);
    assertEquals(await readIssues(line, { role, env }), [text]);
    assert(!found.join().includes(password));
  });
}

Deno.test("readConfig() warns of keys that are no secret", async () => {
  const readme = await Deno.readTextFile(
    new URL("../README.md", import.meta.url),
  );
  const [own, user] = [...readme.matchAll(/password = "([\w]{43}=)"/g)]
    .map(([, key]) => key!);
  assert(own !== undefined && user !== undefined, "README.md has keys");
  for (const key of [own, user, `${K32}:${user}`, "A".repeat(43), K32]) {
    const files = {
      "f.toml": `server = "h"\nmethod = "${A256}"\npassword = "${key}"\n`,
    };
    const found = await readWarnings("-c f.toml", { role: "sslocal", files });
    assertEquals(found.length, key === K32 ? 0 : 1, key);
  }
});

Deno.test("readConfig() says once what is wrong with the key of many ports", async () => {
  const text = `method = "${A128}"\nserver_port = [1, 2]\n` +
    'server = ["::", "0.0.0.0"]\npassword = "hunter2"\n[[servers]]\n' +
    'port = 3\npassword = "hunter2"\n';
  assertEquals(await readIssues("-c f.toml", { files: { "f.toml": text } }), [
    `f.toml:4:1: ${FLAT}: it has 5 bytes; ${make(A128, 16)}`,
    `f.toml:7:1: the password of servers[0] cannot be used: it has 5 ` +
    `bytes; ${make(A128, 16)}`,
  ]);
});

Deno.test("readConfig() judges the keys of port_password and of users", async () => {
  const text = `method = "${A128}"\n[port_password]\n1 = "${K16}"\n` +
    `2 = "hunter2"\n[[users]]\nname = "alice"\npassword = "${K32}"\n`;
  assertEquals(await readIssues("-c f.toml", { files: { "f.toml": text } }), [
    `f.toml:4:1: ${FLAT}: it has 5 bytes; ${make(A128, 16)}`,
    `f.toml:7:1: the password of user "alice" cannot be used: it has ` +
    `32 bytes; ${make(A128, 16)}`,
  ]);
});
