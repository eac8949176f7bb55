/**
 * Tests of the address header: tables, cuts, noise.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import {
  addressLength,
  type Endpoint,
  parseAddress,
  writeAddress,
} from "./address.ts";
import { bytesOf, randomOf } from "../tests/support/bytes.ts";

const IPV6 = Uint8Array.from({ length: 16 }, (_, i) => 0x20 + i);
const MAPPED = bytesOf(new Uint8Array(10), 0xff, 0xff, 10, 0, 0, 1);
const LONGEST = "a".repeat(255);

const VALID = [
  { name: "IPv4", bytes: bytesOf(1, 127, 0, 0, 1, 0, 80), domain: "" },
  { name: "IPv4, port 0", bytes: bytesOf(1, 0, 0, 0, 0, 0, 0), domain: "" },
  { name: "IPv6", bytes: bytesOf(4, IPV6, 0xff, 0xff), domain: "" },
  { name: "domain", bytes: bytesOf(3, 3, "a.b", 1, 187), domain: "a.b" },
  { name: "domain of 1", bytes: bytesOf(3, 1, "x", 0, 1), domain: "x" },
  {
    name: "domain of 255",
    bytes: bytesOf(3, 255, LONGEST, 0, 53),
    domain: LONGEST,
  },
  {
    name: "domain that is an IP address",
    bytes: bytesOf(3, 9, "127.0.0.1", 0, 80),
    domain: "127.0.0.1",
  },
];

Deno.test("parseAddress() reads whole headers and wants more for every prefix", () => {
  for (const { name, bytes, domain } of VALID) {
    for (let length = 0; length < bytes.length; length++) {
      const cut = parseAddress(bytes.subarray(0, length));
      assertEquals(cut.status, "need-more", `${name} cut at ${length}`);
    }
    for (const tail of [0, 1, 1000]) {
      const got = parseAddress(bytesOf(bytes, new Uint8Array(tail)));
      assertEquals(got, {
        status: "ok",
        type: bytes[0]!,
        hostOffset: bytes[0] === 3 ? 2 : 1,
        domain,
        port: bytes[bytes.length - 2]! * 256 + bytes[bytes.length - 1]!,
        length: bytes.length,
        oneTimeAuth: false,
      }, name);
    }
  }
});

Deno.test("parseAddress() keeps to offset and end", () => {
  const bytes = bytesOf(9, 9, 3, 3, "a.b", 1, 187, 7, 7);
  const got = parseAddress(bytes, { offset: 2, end: 9 });
  assertEquals(got.status === "ok" && [got.hostOffset, got.length], [4, 7]);
  for (let end = 2; end < 9; end++) {
    assertEquals(parseAddress(bytes, { offset: 2, end }).status, "need-more");
  }
});

Deno.test("parseAddress() takes exactly 3 of the 256 type bytes", () => {
  for (let type = 0; type < 256; type++) {
    const bytes = bytesOf(type, 1, "abcdefghijklmnopqrstuvwxyz");
    const plain = parseAddress(bytes);
    assertEquals(plain.status === "ok", [1, 3, 4].includes(type), `${type}`);
    if (plain.status === "invalid") {
      assertEquals([plain.reason, plain.type], ["address-type", type]);
    }
    const marked = parseAddress(bytes, { allowOneTimeAuth: true });
    assertEquals(
      marked.status === "ok",
      [1, 3, 4, 0x11, 0x13, 0x14].includes(type),
      `${type} with one-time authentication allowed`,
    );
    if (marked.status === "ok") {
      assertEquals(marked.oneTimeAuth, type > 0x10);
      assertEquals(marked.type, type & 0x0f);
    }
  }
});

Deno.test("parseAddress() refuses an empty name at its second byte", () => {
  assertEquals(parseAddress(bytesOf(3, 0)), {
    status: "invalid",
    reason: "domain-length",
    type: 3,
  });
});

Deno.test("parseAddress() takes a name byte when it is printable ASCII", () => {
  for (let code = 0; code < 256; code++) {
    for (const place of [0, 1, 2]) {
      const name = [0x61, 0x62, 0x63];
      name[place] = code;
      const got = parseAddress(bytesOf(3, 3, ...name, 0, 80));
      const fit = code > 0x20 && code < 0x7f;
      assertEquals(got.status, fit ? "ok" : "invalid", `${code} at ${place}`);
      if (got.status === "invalid") assertEquals(got.reason, "domain-text");
    }
  }
});

Deno.test("writeAddress() writes what parseAddress() reads", () => {
  const rows: { address: Endpoint; expected: Uint8Array }[] = [
    {
      address: { bytes: bytesOf(127, 0, 0, 1), port: 80 },
      expected: bytesOf(1, 127, 0, 0, 1, 0, 80),
    },
    {
      address: { bytes: IPV6, port: 65535 },
      expected: bytesOf(4, IPV6, 255, 255),
    },
    {
      address: { bytes: MAPPED, port: 256 },
      expected: bytesOf(1, 10, 0, 0, 1, 1, 0),
    },
    {
      address: { domain: LONGEST, port: 0 },
      expected: bytesOf(3, 255, LONGEST, 0, 0),
    },
  ];
  for (const { address, expected } of rows) {
    const out = new Uint8Array(300).fill(0xee);
    const length = writeAddress(out, 5, address);
    assertEquals(length, expected.length);
    assertEquals(addressLength(address), expected.length);
    assertEquals(out.subarray(5, 5 + length), expected);
    assertEquals([out[4], out[5 + length]], [0xee, 0xee]);
    assertEquals(parseAddress(out, { offset: 5 }).status, "ok");
    writeAddress(new Uint8Array(length), 0, address);
    assertThrows(
      () => writeAddress(new Uint8Array(length - 1), 0, address),
      RangeError,
      "there is room for",
    );
  }
});

Deno.test("writeAddress() throws when the address has no header", () => {
  const rows: { address: Endpoint; message: string }[] = [
    { address: { domain: "", port: 1 }, message: "1 to 255 bytes, got 0" },
    {
      address: { domain: LONGEST + "a", port: 1 },
      message: "1 to 255 bytes, got 256",
    },
    { address: { domain: "a\nb", port: 1 }, message: "printable ASCII" },
    { address: { domain: "ä", port: 1 }, message: "printable ASCII" },
    { address: { domain: "a", port: 65536 }, message: "no such port" },
    { address: { domain: "a", port: NaN }, message: "no such port" },
    { address: { bytes: IPV6, port: -1 }, message: "no such port" },
    {
      address: { bytes: new Uint8Array(5), port: 1 },
      message: "4 or 16 bytes, got 5",
    },
  ];
  for (const { address, message } of rows) {
    assertThrows(
      () => writeAddress(new Uint8Array(400), 0, address),
      RangeError,
      message,
    );
  }
});

Deno.test("parseAddress() never throws nor reads past the end when fed noise", () => {
  const random = randomOf(20_26);
  for (let round = 0; round < 100_000; round++) {
    const bytes = new Uint8Array(random(40));
    for (let i = 0; i < bytes.length; i++) bytes[i] = random(256);
    if (bytes.length > 1 && random(2) === 0) {
      bytes[0] = [1, 3, 4, 0x13][random(4)]!;
      bytes[1] = random(40);
    }
    const got = parseAddress(bytes, { allowOneTimeAuth: random(2) === 0 });
    if (got.status === "ok" && got.length > bytes.length) {
      throw new Error(`read past the end: ${bytes}`);
    }
  }
});
