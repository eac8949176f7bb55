/**
 * Tests of the requests of a manager.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  type ManagerDialect,
  type ManagerRequest,
  MAX_REQUEST,
  parseRequest,
} from "./manager_request.ts";

function parse(text: string, dialect: ManagerDialect): ManagerRequest {
  return parseRequest(new TextEncoder().encode(text), dialect);
}

const GOOD: readonly (readonly [string, ManagerRequest])[] = [
  ["ping", { kind: "ping" }],
  ["list", { kind: "list" }],
  ["ping: {}", { kind: "ping" }],
  ['add: {"a":1}\n', { kind: "add", json: ' {"a":1}\n' }],
  ['add:{"a":":"}', { kind: "add", json: '{"a":":"}' }],
  ['remove: {"server_port":8001}', { kind: "remove", port: 8001 }],
  ['remove:{"server_port":"8001"}\n', { kind: "remove", port: 8001 }],
  ['remove: {"server_port":65535,"x":[]}', { kind: "remove", port: 65_535 }],
];

for (const [text, expected] of GOOD) {
  Deno.test(`parseRequest() takes ${JSON.stringify(text)} in both dialects`, () => {
    assertEquals(parse(text, "python"), expected);
    const libev = parse(text, "libev");
    assertEquals(
      libev.kind === "add" ? { ...libev, json: ` ${libev.json}` } : libev,
      expected.kind === "add"
        ? { ...expected, json: ` ${expected.json.trimStart()}` }
        : expected,
    );
  });
}

const LIBEV_ONLY: readonly (readonly [string, ManagerRequest])[] = [
  ["ping\n", { kind: "ping" }],
  ["  list ", { kind: "list" }],
  ['\tadd {"a":1}', { kind: "add", json: '{"a":1}' }],
  ['remove {"server_port":1}', { kind: "remove", port: 1 }],
];

for (const [text, expected] of LIBEV_ONLY) {
  Deno.test(`parseRequest() takes ${JSON.stringify(text)} like libev alone`, () => {
    assertEquals(parse(text, "libev"), expected);
    assertEquals(parse(text, "python").kind, "invalid");
  });
}

Deno.test("parseRequest() reads what follows a ping in the python dialect", () => {
  for (const text of ["ping:", "ping: x", 'list: {"a":1']) {
    assertEquals(parse(text, "python").kind, "invalid");
    assert(parse(text, "libev").kind !== "invalid");
  }
});

const REMOVES: readonly string[] = [
  "",
  "8001",
  "null",
  "[8001]",
  "{}",
  '{"server_port":0}',
  '{"server_port":65536}',
  '{"server_port":-1}',
  '{"server_port":1.5}',
  '{"server_port":1e99}',
  '{"server_port":"080 01"}',
  '{"server_port":"1e3"}',
  '{"server_port":""}',
  '{"server_port":[8001]}',
  '{"server_port":{"valueOf":1}}',
  '{"server_port":true}',
  '{"server_port":8001',
  '{"__proto__":{"server_port":8001}}',
  `${"[".repeat(20_000)}`,
];

for (const json of REMOVES) {
  Deno.test(`parseRequest() refuses to remove ${json.slice(0, 40)}`, () => {
    for (const dialect of ["python", "libev"] as const) {
      const request = parse(`remove: ${json}`, dialect);
      assert(request.kind === "invalid" && request.isKnown);
    }
  });
}

Deno.test("parseRequest() tells an unknown name from one without its JSON", () => {
  for (const dialect of ["python", "libev"] as const) {
    for (const text of ["", ":", "stat: {}", "ADD: {}", "adds: {}", "p\0ing"]) {
      const request = parse(text, dialect);
      assert(request.kind === "invalid" && !request.isKnown, text);
    }
    for (const text of ["add", "remove"]) {
      const request = parse(text, dialect);
      assert(request.kind === "invalid" && request.isKnown, text);
    }
  }
});

Deno.test("parseRequest() repeats no secret and no control character", () => {
  for (
    const text of [
      'add {"password":"hunter2"}',
      "key hunter2",
      '{"hunter2":1}',
      "\u001b[31mhunter2",
      "a-name-longer-than-any-hunter2",
      "ping\n",
    ]
  ) {
    const request = parse(text, "python");
    if (request.kind !== "invalid") throw new TypeError(request.kind);
    assert(!request.reason.includes("hunter2"), request.reason);
    // deno-lint-ignore no-control-regex
    assert(!/[\x00-\x1f]/.test(request.reason), request.reason);
  }
});

Deno.test("parseRequest() refuses what is too long or not UTF-8", () => {
  const spaces = (length: number): Uint8Array =>
    new TextEncoder().encode("ping:0".padEnd(length));
  assertEquals(parseRequest(spaces(MAX_REQUEST), "python").kind, "ping");
  assertEquals(parseRequest(spaces(MAX_REQUEST + 1), "python").kind, "invalid");
  const bad = Uint8Array.of(0x70, 0x69, 0x6e, 0x67, 0x3a, 0xff);
  assertEquals(parseRequest(bad, "python"), {
    kind: "invalid",
    reason: "the request is not UTF-8",
    isKnown: false,
  });
});
