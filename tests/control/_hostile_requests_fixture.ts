/**
 * For tests: requests that a manager must survive, the same in every run.
 *
 * @module
 */

import { concat, seededBytes } from "../support/mod.ts";

const SHELL = [";", "|", "&", "$(", ")", "`", "\n", "'", '"', "\\", "\0", ">"];
const COMMANDS = ["add", "remove", "ping", "list", "stat", "", "ADD", "add "];
const PORTS = [
  "0",
  "-1",
  "65536",
  "1e400",
  "99999999999999999999",
  "null",
  "true",
  "[]",
  "{}",
  '""',
  '"; touch /tmp/x"',
  "1.5",
  '"8001 "',
  "[8001,8002]",
];
const KEYS = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "password",
  "method",
  "manager_address",
  "user",
  "daemon",
  "libopenssl",
  "plugin",
  "server",
  "workers",
];
const VALUES = [
  '{"polluted":true}',
  '{"server_port":8001}',
  '"$(reboot)"',
  "null",
  "[[]]",
  "1e999",
  '"\\u0000"',
  '"\\ud800"',
  "{}",
];

/**
 * Makes requests none of which may open a port.
 *
 * @param count How many.
 * @param port A port that is free.
 */
export function* hostileRequests(
  count: number,
  port: number,
): Generator<string | Uint8Array> {
  const random = new Uint32Array(seededBytes(4 * 16 * count, 7).buffer);
  let at = 0;
  const pick = <T>(list: readonly T[]): T => list[random[at++]! % list.length]!;
  const some = (length: number): Uint8Array =>
    seededBytes(length, random[at++]! % 1_000_000);
  const encoder = new TextEncoder();
  const kinds: readonly (() => string | Uint8Array)[] = [
    () => `${pick(COMMANDS)}:${pick(SHELL)}{"server_port":${pick(PORTS)}}`,
    () => `add: {"server_port":${pick(PORTS)},"password":"${pick(VALUES)}"}`,
    () =>
      `add: {"server_port":${port},"password":"x","method":"${pick(SHELL)}"}`,
    () => `add: {"server_port":${port},"${pick(KEYS)}":${pick(VALUES)}`,
    () =>
      `add: {"${pick(KEYS)}":${pick(VALUES)},"${pick(KEYS)}":${pick(VALUES)}}`,
    () => `remove: {"${pick(KEYS)}":${pick(VALUES)}}`,
    () => `${pick(SHELL)} touch /tmp/x ${pick(SHELL)}`,
    () => `add: ${"[".repeat(1 + pick([10, 100, 1000, 30_000]))}`,
    () => `add: ${'{"a":'.repeat(1 + pick([10, 100, 1000, 6000]))}`,
    () => `add: {"server_port":${"9".repeat(pick([10, 1000, 30_000]))}}`,
    () => `add: {"server_port":${port},"password":"${"x".repeat(32_768)}"}`,
    () => some(pick([0, 1, 2, 100, 1506, 1507, 40_000])),
    () => concat(encoder.encode("add: {"), some(pick([1, 50, 500]))),
    () => concat(encoder.encode("remove:"), Uint8Array.of(0xff, 0xfe, 0xc0)),
    () => `add: {"server_port":${port},"password":"","timeout":-1}`,
    () => `${pick(COMMANDS)}`.padEnd(pick([10, 1506, 20_000]), pick(SHELL)),
  ];
  for (let i = 0; i < count; i++) {
    const request = kinds[i % kinds.length]!();
    // Those two would be in order.
    const isGood = typeof request === "string" &&
      /^(?:ping|list)(?:$|:)/.test(request);
    yield isGood ? `x${request}` : request;
  }
}
