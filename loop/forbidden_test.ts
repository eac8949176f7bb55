/**
 * Tests of the words of `forbidden_ip`.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { DEFAULT_FORBIDDEN, expandForbidden } from "./forbidden.ts";

const DEFAULT = DEFAULT_FORBIDDEN.filter((each) => each !== "own");
const LOCAL = [
  "127.0.0.0/8",
  "::1/128",
  "0.0.0.0/8",
  "::/128",
  "169.254.0.0/16",
  "fe80::/10",
  // Metadata services of clouds.
  "100.100.100.200/32",
  "168.63.129.16/32",
  "192.0.0.192/32",
  "fd00:ec2::254/128",
  "fd20:ce::254/128",
];
const GROUPS = ["224.0.0.0/4", "ff00::/8", "255.255.255.255/32"];

Deno.test("expandForbidden() puts what they stand for in place of words", () => {
  for (
    const [entries, networks, own] of [
      ["", [], false],
      [" , ", [], false],
      [[], [], false],
      ["default", DEFAULT, true],
      [DEFAULT_FORBIDDEN, DEFAULT, true],
      ["allow-own", DEFAULT, false],
      ["Allow-Multicast", LOCAL, true],
      ["allow-own,allow-multicast", LOCAL, false],
      ["default, allow-own", DEFAULT, false],
      ["own", [], true],
      [["multicast"], GROUPS, false],
      ["10.0.0.0/8", ["10.0.0.0/8"], false],
      ["10.0.0.0/8,allow-own", ["10.0.0.0/8"], false],
      // What is written out stays.
      ["ff00::/8,allow-multicast", ["ff00::/8"], false],
      ["x", ["x"], false],
    ] as const
  ) {
    assertEquals(expandForbidden(entries), { networks: [...networks], own });
  }
});

Deno.test("expandForbidden() has the default in private, and more", () => {
  const { networks, own } = expandForbidden(["8.8.8.8/32", " PRIVATE "]);
  assertEquals(own, true);
  assertEquals(networks.slice(0, 1 + DEFAULT.length), [
    "8.8.8.8/32",
    ...DEFAULT,
  ]);
  assertEquals(networks.includes("10.0.0.0/8"), true);
  assertEquals(expandForbidden("private,allow-own").own, false);
});
