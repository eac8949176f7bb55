/**
 * What the editions of before 2022 have of their own: address headers, and
 * one-time authentication.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { findMethod } from "../crypto/mod.ts";
import { parseAddress } from "../socks5/mod.ts";
import { encrypt } from "./_bytes_fixture.ts";
import {
  Connection,
  encode,
  Ends,
  PROVIDERS,
  type Row,
  Serving,
  TARGET,
} from "./_edition_fixture.ts";
import {
  authenticate,
  isAuthentic,
  ONETIMEAUTH_BYTES,
  OneTimeDecoder,
} from "./_ota.ts";
import { ClassicEdition } from "./classic_edition.ts";
import type { Cryptor } from "./cryptor.ts";
import { DECRYPT_FAILED } from "./edition.ts";
import { openEdition } from "./open_edition.ts";
import { CipherSuite } from "./suite.ts";
import { concat, seededBytes, utf8 } from "../tests/support/bytes.ts";

const PASSWORD = "correct horse";
const HEAD = Uint8Array.of(1, 192, 0, 2, 7, 0, 80);
const METHODS = ["aes-256-gcm", "rc4-md5"];

/** A suite of each kind for the peers that do what no client of ours does. */
const suites = new Map<string, CipherSuite>();
for (const name of METHODS) {
  suites.set(name, await CipherSuite.create(name, PASSWORD, PROVIDERS));
}

async function rowOf(name: string, oneTimeAuth = false): Promise<Row> {
  const method = findMethod(name)!;
  return {
    name,
    method,
    oneTimeAuth,
    is2022: false,
    isAead: method.kind === "aead",
    remembers: true,
    blocks: undefined,
    packetProvider: undefined,
    provider: await PROVIDERS.forMethod(method),
  };
}

/** The plaintext of a flight, sealed by a peer. */
function sealed(
  name: string,
  make: (cryptor: Cryptor) => readonly Uint8Array[],
): Uint8Array {
  using cryptor = suites.get(name)!.newCryptor();
  return concat(...make(cryptor).map((piece) => encrypt(cryptor, piece)));
}

/** Addresses that are refused as soon as it is known. */
const BAD_ADDRESSES = [
  { bytes: [2, 1, 2, 3, 4, 0, 80], reason: "invalid address type" },
  { bytes: [0], reason: "invalid address type" },
  { bytes: [0x21, 1, 2, 3, 4, 0, 80], reason: "invalid address type" },
  { bytes: [3, 0, 0, 80], reason: "invalid address" },
  { bytes: [3, 3, 97, 10, 98, 0, 80], reason: "invalid address" },
];
for (const name of METHODS) {
  for (const { bytes, reason } of BAD_ADDRESSES) {
    Deno.test(`ServerStream.receive() refuses the address [${bytes}] (${name})`, async () => {
      const row = await rowOf(name);
      using ends = new Ends(row);
      const serving = new Serving(ends.server.newServerStream());
      serving.feed(sealed(name, () => [Uint8Array.from(bytes)]));
      assertEquals(serving.answer, {
        kind: "refuse",
        status: row.isAead ? "error" : "auth_failed",
        reason,
        addressType: bytes[0],
      });
      assert(serving.stream.failed);
      const output = new Uint8Array(100);
      assertEquals(serving.stream.decode(output, output, 0), DECRYPT_FAILED);
    });
  }

  Deno.test(`ServerStream.receive() takes the longest name in frames of one byte (${name})`, async () => {
    using ends = new Ends(await rowOf(name));
    const domain = "n".repeat(255);
    const head = concat(
      Uint8Array.of(3, 255),
      utf8(domain),
      Uint8Array.of(1, 187),
    );
    const flight = sealed(
      name,
      () => Array.from(concat(head, utf8("x")), (byte) => Uint8Array.of(byte)),
    );
    const serving = new Serving(ends.server.newServerStream());
    for (const byte of flight) serving.feed(Uint8Array.of(byte));
    assertEquals(serving.host, domain);
    assertEquals(serving.payload, utf8("x"));
  });

  Deno.test(`ServerStream.receive() takes one-time authentication that it does not require (${name})`, async () => {
    using ends = new Ends(await rowOf(name, true), { required: false });
    using connection = new Connection(ends, utf8("hello"));
    const { client, serving } = connection;
    serving.feed(encode(client, utf8(", world")));
    assertEquals(serving.payload, utf8("hello, world"));
  });

  Deno.test(`ServerStream.receive() refuses a plain header when it requires one-time authentication (${name})`, async () => {
    using ends = new Ends(await rowOf(name), { required: true });
    using connection = new Connection(ends, utf8("hello"));
    assertEquals(connection.serving.answer, {
      kind: "refuse",
      status: "auth_failed",
      reason: "one time auth is required",
    });
  });

  Deno.test(`ServerStream.receive() refuses a tag with any bit flipped (${name})`, async () => {
    using ends = new Ends(await rowOf(name));
    const { masterKey } = suites.get(name)!;
    for (let bit = 0; bit < 8 * ONETIMEAUTH_BYTES; bit++) {
      const flight = sealed(name, (cryptor) => {
        const head = HEAD.slice();
        const tag = authenticate(head, { iv: cryptor.salt!, masterKey });
        tag[bit >> 3]! ^= 1 << (bit & 7);
        return [head, tag, utf8("payload")];
      });
      const serving = new Serving(ends.server.newServerStream());
      // Byte by byte: it is judged as soon as the tag is whole.
      for (const byte of flight) serving.feed(Uint8Array.of(byte));
      assertEquals(serving.answer, {
        kind: "refuse",
        status: "auth_failed",
        reason: "one time auth failed",
      });
    }
  });

  Deno.test(`ServerStream.decode() drops an altered chunk, and what follows, and tells once (${name})`, async () => {
    using ends = new Ends(await rowOf(name));
    const { masterKey } = suites.get(name)!;
    let drops = 0;
    const flight = sealed(name, (cryptor) => {
      const head = HEAD.slice();
      const iv = cryptor.salt!;
      const tag = authenticate(head, { iv, masterKey });
      return [
        head,
        tag,
        concat(Uint8Array.of(0, 5), seededBytes(15)),
        seededBytes(40),
      ];
    });
    const serving = new Serving(
      ends.server.newServerStream({ onChunkDropped: () => drops++ }),
    ).feed(flight);
    assertEquals(serving.answer!.kind, "request");
    assertEquals([serving.payload.length, drops], [0, 1]);
    assert(!serving.stream.failed, "the connection stays");
  });

  Deno.test(`ServerStream.atBoundary() does not hold inside a chunk (${name})`, async () => {
    using ends = new Ends(await rowOf(name));
    const { masterKey } = suites.get(name)!;
    const flight = sealed(name, (cryptor) => {
      const head = HEAD.slice();
      const tag = authenticate(head, { iv: cryptor.salt!, masterKey });
      return [head, tag, Uint8Array.of(0, 5, 1)];
    });
    const serving = new Serving(ends.server.newServerStream()).feed(flight);
    assertEquals(serving.answer!.kind, "request");
    assert(!serving.decoding.atBoundary);
  });

  Deno.test(`ServerStream.decode() fails without room for a chunk that came in parts (${name})`, async () => {
    using ends = new Ends(await rowOf(name));
    const { masterKey } = suites.get(name)!;
    using cryptor = suites.get(name)!.newCryptor();
    const head = HEAD.slice();
    const tag = authenticate(head, { iv: cryptor.salt!, masterKey });
    const serving = new Serving(ends.server.newServerStream());
    serving.feed(encrypt(cryptor, concat(head, tag)));
    const front = concat(Uint8Array.of(0, 200), seededBytes(10));
    serving.feed(encrypt(cryptor, concat(front, seededBytes(199))));
    assert(!serving.stream.failed);
    const last = encrypt(cryptor, seededBytes(1));
    const output = new Uint8Array(150);
    const count = serving.stream.decode(last, output, last.length);
    assertEquals(count, DECRYPT_FAILED);
    assert(serving.stream.failed);
  });

  Deno.test(`ClientStream.encode() tags the header and each chunk (${name})`, async () => {
    const { masterKey, method: { saltLength } } = suites.get(name)!;
    using ends = new Ends(await rowOf(name, true));
    for (const first of [utf8("hello"), new Uint8Array(0)]) {
      using client = ends.client.newClientStream(TARGET);
      const wire = concat(
        encode(client, first),
        encode(client, seededBytes(40_000)),
      );
      using cryptor = suites.get(name)!.newCryptor();
      const plain = new Uint8Array(wire.length);
      const length = cryptor.decrypt(wire, plain);
      const address = parseAddress(plain, { allowOneTimeAuth: true });
      if (address.status !== "ok") throw new Error(address.status);
      assert(address.oneTimeAuth);
      const end = address.length + ONETIMEAUTH_BYTES;
      const iv = wire.slice(0, saltLength);
      assert(isAuthentic(
        plain.subarray(0, address.length),
        plain.subarray(address.length, end),
        { iv, masterKey },
      ));
      const decoder = new OneTimeDecoder({ iv, onDrop: () => assert(false) });
      const out = new Uint8Array(100_000);
      const count = decoder.apply(plain.subarray(end, length), out);
      assertEquals(out.subarray(0, count), concat(first, seededBytes(40_000)));
      assert(decoder.atBoundary);
    }
  });

  Deno.test(`ServerPackets.open() tells what is wrong with one-time authentication (${name})`, async () => {
    const cases = [
      { flip: 9, reason: "one time auth failed" },
      { flip: 17, reason: "one time auth failed" },
      // A header, and fewer bytes than a tag has.
      { length: HEAD.length + 2, reason: "one time auth is too short" },
      { reason: undefined },
    ];
    using ends = new Ends(await rowOf(name));
    using packets = ends.server.newServerPackets();
    for (const { reason, ...fault } of cases) {
      const bytes = taggedPacket(suites.get(name)!, fault);
      const packet = { bytes, start: 0, end: bytes.length, head: -1 };
      const opened = packets.open(packet, new Uint8Array(1000));
      assertEquals("reason" in opened ? opened.reason : undefined, reason);
    }
  });
}

/** An authenticated packet, cut, or with a bit flipped, before it is sealed. */
function taggedPacket(
  suite: CipherSuite,
  { flip, length }: { readonly flip?: number; readonly length?: number },
): Uint8Array {
  const body = concat(HEAD, utf8("query"));
  const plain = new Uint8Array(length ?? body.length + ONETIMEAUTH_BYTES);
  const packet = new Uint8Array(plain.length + suite.packetOverhead);
  const { masterKey } = suite;
  suite.sealPacket(plain, packet, {
    onSalt: (iv) => {
      const tag = authenticate(body, { iv, masterKey });
      plain.set(concat(body, tag).subarray(0, plain.length));
      if (flip !== undefined) plain[flip]! ^= 1;
    },
  });
  return packet;
}

Deno.test("Edition.newClientStream() throws when the target cannot be written", async () => {
  using ends = new Ends(await rowOf("aes-256-gcm"));
  for (const domain of ["", "n".repeat(256), "ex ample", "größe.example"]) {
    assertThrows(
      () => ends.client.newClientStream({ domain, port: 1 }),
      RangeError,
    );
  }
});

Deno.test("openEdition() makes the edition that a method belongs to", async () => {
  for (const name of METHODS) {
    const options = { method: name.toUpperCase(), password: PASSWORD };
    using edition = await openEdition(options, { providers: PROVIDERS });
    assert(edition instanceof ClassicEdition);
    assertEquals(edition.method.name, name);
    assertEquals(edition.authenticates, name === "aes-256-gcm");
    assert(edition.providerVersion !== "");
  }
});

Deno.test("ClassicEdition[Symbol.dispose]() wipes the key", async () => {
  const suite = await CipherSuite.create("aes-128-gcm", PASSWORD, PROVIDERS);
  new ClassicEdition(suite)[Symbol.dispose]();
  assertEquals(suite.masterKey, new Uint8Array(16));
});
