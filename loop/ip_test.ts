/**
 * Tests of IP addresses as text and bytes.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { formatIp, isLoopbackIp, isSameIp, parseIp, unmapIp } from "./ip.ts";

/** Bytes as hexadecimal digits. */
function hex(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined
    ? undefined
    : Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const LITERALS: readonly (readonly [string, string, string])[] = [
  ["0.0.0.0", "00000000", "0.0.0.0"],
  ["127.0.0.1", "7f000001", "127.0.0.1"],
  ["255.255.255.255", "ffffffff", "255.255.255.255"],
  ["::", "00000000000000000000000000000000", "::"],
  ["::1", "00000000000000000000000000000001", "::1"],
  ["1::", "00010000000000000000000000000000", "1::"],
  ["2001:db8::8:800:200c:417a", "20010db80000000000080800200c417a", ""],
  ["2001:DB8::A", "20010db800000000000000000000000a", "2001:db8::a"],
  ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008", ""],
  [
    "2001:0db8:0:0:1:0:0:1",
    "20010db8000000000001000000000001",
    "2001:db8::1:0:0:1",
  ],
  ["1:0:2:0:0:3:0:0", "00010000000200000000000300000000", "1:0:2::3:0:0"],
  ["1:2:3:4:5:6:0:8", "00010002000300040005000600000008", "1:2:3:4:5:6:0:8"],
  ["1:2:3:4:5:6:7::", "00010002000300040005000600070000", "1:2:3:4:5:6:7:0"],
  ["::ffff:192.0.2.1", "00000000000000000000ffffc0000201", ""],
  ["::ffff:c000:201", "00000000000000000000ffffc0000201", "::ffff:192.0.2.1"],
  [
    "64:ff9b::192.0.2.33",
    "0064ff9b0000000000000000c0000221",
    "64:ff9b::c000:221",
  ],
];

for (const [text, bytes, canonical] of LITERALS) {
  Deno.test(`parseIp() and formatIp() agree on ${text}`, () => {
    const parsed = parseIp(text);
    assertEquals(hex(parsed), bytes);
    assertEquals(formatIp(parsed!), canonical || text);
    assertEquals(hex(parseIp(formatIp(parsed!))), bytes);
  });
}

Deno.test("parseIp() refuses what is not a strict literal", () => {
  const others = [
    "",
    "localhost",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "2130706433",
    "127.1",
    " 127.0.0.1",
    "127.0.0.1 ",
    "127.0.0.1\n",
    "1.2.3.4:80",
    "[::1]",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "12345::",
    "::g",
    "fe80::1%eth0",
    "::1.2.3",
    "::1.2.3.4.5",
  ];
  for (const text of others) {
    assertEquals(parseIp(text), undefined, JSON.stringify(text));
  }
});

Deno.test("formatIp() throws RangeError when the length is wrong", () => {
  for (const length of [0, 3, 5, 15, 17]) {
    assertThrows(
      () => formatIp(new Uint8Array(length)),
      RangeError,
      `got ${length}`,
    );
  }
});

Deno.test("unmapIp() gives IPv4 for an IPv4-mapped address alone", () => {
  assertEquals(hex(unmapIp(parseIp("::ffff:10.0.0.1")!)), "0a000001");
  for (
    const text of [
      "10.0.0.1",
      "::10.0.0.1",
      "::fffe:10.0.0.1",
      "1::ffff:10.0.0.1",
    ]
  ) {
    const bytes = parseIp(text)!;
    assertEquals(unmapIp(bytes), bytes, text);
  }
});

Deno.test("isLoopbackIp() knows the addresses of this machine alone", () => {
  for (const text of ["127.0.0.1", "127.9.8.7", "::1"]) {
    assertEquals(isLoopbackIp(parseIp(text)!), true, text);
  }
  for (const text of ["128.0.0.1", "0.0.0.0", "::", "::2", "1::1"]) {
    assertEquals(isLoopbackIp(parseIp(text)!), false, text);
  }
});

Deno.test("isSameIp() compares every byte, and the length", () => {
  for (
    const [one, other, expected] of [
      ["192.0.2.1", "192.0.2.1", true],
      ["192.0.2.1", "192.0.2.2", false],
      ["::1", "::1", true],
      ["::1", "::2", false],
      ["0.0.0.0", "::", false],
      ["192.0.2.1", "::ffff:192.0.2.1", false],
    ] as const
  ) {
    const actual = isSameIp(parseIp(one)!, parseIp(other)!);
    assertEquals(actual, expected, `${one} ${other}`);
  }
});
