/**
 * Properties of codecs that hold for every input (fast-check).
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { DECRYPT_FAILED, type SideCodec } from "../../shadowsocks/mod.ts";
import {
  addressLength,
  type Endpoint,
  parseAddress,
  writeAddress,
} from "../../socks5/mod.ts";
import { concat } from "../support/mod.ts";
import { ALL_FAMILIES, openPairs } from "./_editions.ts";

const port = fc.integer({ min: 0, max: 65_535 });
const endpoint: fc.Arbitrary<Endpoint> = fc.oneof(
  fc.record({ bytes: fc.uint8Array({ minLength: 4, maxLength: 4 }), port }),
  fc.record({ bytes: fc.uint8Array({ minLength: 16, maxLength: 16 }), port }),
  fc.record({
    domain: fc.stringMatching(/^[!-~]{1,255}$/),
    port,
  }),
);

Deno.test("parseAddress() reads what writeAddress() has written, and needs all of it", () => {
  fc.assert(fc.property(endpoint, fc.uint8Array(), (address, rest) => {
    const length = addressLength(address);
    const bytes = new Uint8Array(length + rest.length);
    writeAddress(bytes, 0, address);
    bytes.set(rest, length);
    const read = parseAddress(bytes);
    if (read.status !== "ok") throw new Error(read.status);
    assertEquals([read.length, read.port], [length, address.port]);
    if ("domain" in address) assertEquals(read.domain, address.domain);
    for (let end = 0; end < length; end++) {
      assertEquals(parseAddress(bytes.subarray(0, end)).status, "need-more");
    }
  }));
});

Deno.test("parseAddress() takes any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    const read = parseAddress(bytes);
    if (read.status === "ok") assertEquals(read.length <= bytes.length, true);
  }));
});

/** Payload in pieces, and where the network cuts what is made of them. */
const conversation = fc.record({
  payloads: fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 4 }),
  cuts: fc.array(fc.integer({ min: 1, max: 2000 }), { maxLength: 8 }),
});

function encode(codec: SideCodec, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  const output = new Uint8Array(length + (length >> 3) + 8192);
  return output.slice(0, codec.encode(payload, output, length));
}

function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const length of cuts) {
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return [...pieces, bytes.subarray(at)].filter(({ length }) => length > 0);
}

for (const family of ALL_FAMILIES) {
  // Outside of the test: native libraries stay loaded.
  const pairs = await openPairs(family);
  Deno.test(`Answers of ${family} come out as they went in, wherever they are cut`, () => {
    for (const pair of pairs) {
      using editions = pair;
      fc.assert(
        fc.property(conversation, ({ payloads, cuts }) => {
          const target = { domain: "example.com", port: 443 };
          using client = editions.client.newClientStream(target);
          using server = editions.server.newServerStream();
          const flight = encode(client, Uint8Array.of(1, 2, 3));
          const answer = server.receive(flight, new Uint8Array(200_000));
          assertEquals(answer.kind, "request");
          const wire = concat(
            ...payloads.map((payload) => encode(server, payload)),
          );
          const output = new Uint8Array(200_000);
          let got = new Uint8Array(0);
          let leftover = new Uint8Array(0);
          for (const piece of cut(wire, cuts)) {
            const data = concat(leftover, piece);
            const count = client.decode(data, output, data.length);
            assertEquals(count === DECRYPT_FAILED, false);
            got = concat(got, output.subarray(0, count));
            leftover = data.slice(client.consumed);
          }
          assertEquals(got, concat(...payloads));
          assertEquals(leftover.length, 0);
        }),
        { numRuns: 40 },
      );
    }
  });
}
