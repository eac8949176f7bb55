/**
 * Tests of the SOCKS4 and SOCKS4a codec: tables, cuts, bounds, mutations.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { parseSocks4Request, socks4Reply } from "./mod.ts";
import { bytesOf, randomOf } from "../tests/support/bytes.ts";

/** Whole requests and what they ask for. */
const REQUESTS: readonly {
  readonly sent: Uint8Array;
  readonly domain: string;
  readonly port: number;
}[] = [
  { sent: bytesOf(4, 1, 0, 80, 1, 2, 3, 4, 0), domain: "", port: 80 },
  { sent: bytesOf(4, 1, 1, 187, 1, 2, 3, 4, "me", 0), domain: "", port: 443 },
  { sent: bytesOf(4, 1, 0, 0, 0, 0, 0, 0, 0), domain: "", port: 0 },
  { sent: bytesOf(4, 1, 0, 1, 0, 0, 1, 1, 0), domain: "", port: 1 },
  {
    sent: bytesOf(4, 1, 255, 255, 9, 9, 9, 9, "u".repeat(255), 0),
    domain: "",
    port: 65_535,
  },
  {
    sent: bytesOf(4, 1, 0, 80, 0, 0, 0, 1, 0, "example.com", 0),
    domain: "example.com",
    port: 80,
  },
  {
    sent: bytesOf(
      ...[4, 1, 0, 80, 0, 0, 0, 255, "u".repeat(255), 0],
      ...["d".repeat(255), 0],
    ),
    domain: "d".repeat(255),
    port: 80,
  },
];

Deno.test("parseSocks4Request() reads every form, whole and cut", () => {
  for (const { sent, domain, port } of REQUESTS) {
    for (let length = 0; length < sent.length; length++) {
      const cut = parseSocks4Request(sent.subarray(0, length));
      assertEquals(cut.status, "need-more", `${length} of ${sent.length}`);
    }
    for (const pipelined of ["", "x", "\0", "GET / HTTP/1.1\r\n"]) {
      assertEquals(parseSocks4Request(bytesOf(sent, pipelined)), {
        status: "ok",
        domain,
        port,
        length: sent.length,
      });
    }
  }
});

/** Refused bytes, and the reason. */
const REFUSED: readonly (readonly [Uint8Array, string])[] = [
  [bytesOf(5), "version 5, not 4"],
  [bytesOf(0, 1, 0, 80), "version 0, not 4"],
  [bytesOf(4, 2, 0, 80, 1, 2, 3, 4, 0), "command 2"],
  [bytesOf(4, 0, 0, 80, 0, 0, 0, 4, 0, "a", 0), "command 0"],
  [bytesOf(4, 1, 0, 80, 0, 0, 0, 4, 0, 0), "empty host name"],
  [
    bytesOf(4, 1, 0, 80, 0, 0, 0, 4, 0, "a b", 0),
    "host name of unfit characters",
  ],
  [
    bytesOf(4, 1, 0, 80, 0, 0, 0, 4, 0, "a\n", 0),
    "host name of unfit characters",
  ],
  [
    bytesOf(4, 1, 0, 80, 0, 0, 0, 4, 0, "\xe9", 0),
    "host name of unfit characters",
  ],
  [
    bytesOf(4, 1, 0, 80, 1, 2, 3, 4, "u".repeat(256)),
    "user ID over 255 bytes",
  ],
  [
    bytesOf(4, 1, 0, 80, 0, 0, 0, 4, 0, "d".repeat(256)),
    "host name over 255 bytes",
  ],
];

Deno.test("parseSocks4Request() refuses with a reason", () => {
  for (const [sent, message] of REFUSED) {
    assertEquals(parseSocks4Request(sent), { status: "invalid", message });
  }
});

Deno.test("parseSocks4Request() waits for the whole request before refusing a command", () => {
  const sent = bytesOf(4, 2, 0, 80, 0, 0, 0, 1, "me", 0, "example.com", 0);
  for (let length = 0; length < sent.length; length++) {
    const cut = parseSocks4Request(sent.subarray(0, length));
    assertEquals(cut.status, "need-more");
  }
});

Deno.test("parseSocks4Request() decides within 520 bytes whatever comes", () => {
  const random = randomOf(4);
  for (let round = 0; round < 1_000; round++) {
    const bytes = Uint8Array.from(
      { length: 520 },
      () => random(8) === 0 ? 0 : 1 + random(255),
    );
    bytes[0] = 4;
    if (random(2) === 0) bytes.set([0, 0, 0, 1], 4);
    assertEquals(parseSocks4Request(bytes).status === "need-more", false);
  }
});

Deno.test("parseSocks4Request() survives 50,000 mutations and never reads past the end", () => {
  const random = randomOf(44);
  for (let round = 0; round < 50_000; round++) {
    const bytes = REQUESTS[random(REQUESTS.length)]!.sent.slice();
    for (let flips = random(4); flips >= 0; flips--) {
      bytes[random(bytes.length)] = random(256);
    }
    const cut = bytes.subarray(0, random(bytes.length + 1));
    const got = parseSocks4Request(cut);
    if (got.status !== "ok") continue;
    if (got.length > cut.length) throw new Error(`read past the end: ${cut}`);
    if (!/^[!-~]*$/.test(got.domain)) throw new Error(`unfit name: ${cut}`);
  }
});

Deno.test("socks4Reply() writes the code and zeros", () => {
  assertEquals(socks4Reply(true), bytesOf(0, 0x5a, 0, 0, 0, 0, 0, 0));
  assertEquals(socks4Reply(false), bytesOf(0, 0x5b, 0, 0, 0, 0, 0, 0));
});
