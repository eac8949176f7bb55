/**
 * Tests of networks as text.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { type Cidr, formatCidr, parseCidr, parseCidrList } from "./cidr.ts";

function textOf(network: Cidr | undefined): string | undefined {
  return network === undefined ? undefined : formatCidr(network);
}

function listOf(entries: string | readonly string[]): string[] {
  return parseCidrList(entries).map(formatCidr);
}

Deno.test("parseCidr() clears host bits and takes a whole address", () => {
  const table: readonly (readonly [string, string | undefined])[] = [
    ["10.1.2.3/8", "10.0.0.0/8"],
    ["10.1.2.3/32", "10.1.2.3/32"],
    ["10.0.0.0", "10.0.0.0/32"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["192.168.255.255/17", "192.168.128.0/17"],
    ["fe80::1/10", "fe80::/10"],
    ["2001:DB8::A", "2001:db8::a/128"],
    ["::/0", "::/0"],
    ["::ffff:10.0.0.0/104", "10.0.0.0/8"],
    ["::ffff:127.0.0.1", "127.0.0.1/32"],
    ["::ffff:0:0/96", "0.0.0.0/0"],
    ["::ffff:0:0/95", "::fffe:0:0/95"],
    ["10.0.0.0/33", undefined],
    ["10.0.0.0/", undefined],
    ["10.0.0.0/+8", undefined],
    ["10.0.0/8", undefined],
    ["::/129", undefined],
    ["example.com", undefined],
    ["", undefined],
  ];
  for (const [text, expected] of table) {
    assertEquals(textOf(parseCidr(text, { missing: "whole" })), expected, text);
  }
});

Deno.test("parseCidr() guesses a missing prefix when it shall", () => {
  const guess = { missing: "guess" } as const;
  assertEquals(textOf(parseCidr("192.168.0.0", guess)), "192.168.0.0/13");
  assertEquals(textOf(parseCidr("192.168.0.0/24", guess)), "192.168.0.0/24");
  assertEquals(textOf(parseCidr("::ffff:10.0.0.1", guess)), "10.0.0.1/32");
});

Deno.test("parseCidrList() turns a mapped network into the IPv4 one", () => {
  assertEquals(listOf("::ffff:10.0.0.0/104"), ["10.0.0.0/8"]);
});

Deno.test("parseCidrList() guesses a missing prefix from zero bits", () => {
  const table = [
    ["192.168.1.1", 32],
    ["192.0.2.0", 23],
    ["10.0.0.0", 7],
    ["127.0.0.0", 8],
    ["128.0.0.0", 1],
    ["0.0.0.0", 32],
    ["::", 128],
    ["::1", 128],
    ["::ff:2", 127],
    ["fe80::", 9],
  ] as const;
  for (const [address, prefix] of table) {
    const lines: string[] = [];
    const networks = parseCidrList([address], {
      onGuess: (line) => lines.push(line),
    });
    assertEquals(lines, [
      `You did't specify CIDR routing prefix size for ${address}, ` +
      `implicit treated as ${address}/${prefix}`,
    ]);
    assertEquals(networks.map((network) => network.prefix), [prefix]);
  }
});

Deno.test("parseCidrList() clears host bits, drops repeats", () => {
  assertEquals(
    listOf("10.1.2.3/8, 10.0.0.0/8,,fe80::1/10"),
    ["10.0.0.0/8", "fe80::/10"],
  );
  assertEquals(listOf([" , ", ""].join()), []);
});

Deno.test("parseCidrList() throws when an entry is not a network", () => {
  const bad = [
    "127.0.0.1/4a",
    "127.0.0.1/33",
    "127.0.0.1/",
    "127.0.0.1/-1",
    "127.0.0.1/+1",
    "127.0.0.1/8/8",
    "::1/129",
    "::g",
    "localhost",
    "127.1",
    "0x7f000001",
    "2130706433",
    "0177.0.0.1",
    "[::1]",
    "fe80::1%eth0",
    "/8",
  ];
  for (const entry of bad) {
    assertThrows(
      () => parseCidrList(entry),
      SyntaxError,
      `Not a valid CIDR notation: ${entry}`,
    );
  }
});
