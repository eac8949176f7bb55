/**
 * Tests of the memory of salts: growing, and in a table that others share.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { BUCKET_BYTES, RingSaltSet } from "./_ring_salt_set.ts";
import { SaltHash } from "./_salt_hash.ts";
import { ReplayMemory } from "./replay_memory.ts";
import { SaltFilter } from "./salt_filter.ts";
import { GrowingSaltSet, type SaltSet } from "./salt_set.ts";
import { seededBytes } from "../tests/support/bytes.ts";

const KEY = seededBytes(32, 5);
const HASH = new SaltHash(seededBytes(16, 3), KEY, "server");

/** A salt that tells its number, spread as random bytes are. */
function salt(n: number, length = 16): Uint8Array {
  const bytes = seededBytes(length, n);
  new DataView(bytes.buffer).setUint32(0, n);
  return bytes;
}

function filterOf(seen: SaltSet, own: SaltSet = seen): SaltFilter {
  return new SaltFilter(HASH, { seen, own });
}

function ringOf(buckets: number): RingSaltSet {
  return new RingSaltSet(new Uint8Array(buckets * BUCKET_BYTES));
}

const SETS: readonly (readonly [string, () => SaltSet])[] = [
  ["growing", () => new GrowingSaltSet(1 << 15)],
  ["shared", () => ringOf(3 << 10)],
];

for (const [name, make] of SETS) {
  Deno.test(`SaltFilter.add() takes each salt once (${name})`, () => {
    const filter = filterOf(make());
    for (let n = 0; n < 20_000; n++) assert(filter.add(salt(n)), `${n}`);
    for (let n = 0; n < 20_000; n++) assert(!filter.add(salt(n)), `${n}`);
  });

  Deno.test(`SaltFilter.add() compares the whole salt but for a mark (${name})`, () => {
    for (const length of [8, 12, 16, 24, 32]) {
      const filter = filterOf(make());
      assert(filter.add(new Uint8Array(length)));
      const end = length < 16 ? length : length - 4;
      for (let at = 0; at < end; at++) {
        const other = new Uint8Array(length);
        other[at] = 1;
        assert(filter.add(other), `${length} bytes, at ${at}`);
      }
      assert(!filter.add(new Uint8Array(length)));
    }
  });

  Deno.test(`SaltFilter.add() keeps no salt that is too short (${name})`, () => {
    const filter = filterOf(make());
    assert(filter.add(new Uint8Array(0)));
    assert(filter.add(new Uint8Array(7)));
    assert(filter.add(new Uint8Array(7)));
  });
}

Deno.test("GrowingSaltSet remembers the last generation, and no more than two", () => {
  const filter = filterOf(new GrowingSaltSet(1000));
  for (let n = 0; n < 2500; n++) filter.add(salt(n));
  for (let n = 1000; n < 2500; n++) {
    assertEquals(filter.add(salt(n)), false, `${n}`);
  }
  assertEquals(filter.add(salt(0)), true);
});

Deno.test("RingSaltSet remembers its last salts, and forgets the oldest", () => {
  for (const buckets of [1, 64, 93]) {
    const filter = filterOf(ringOf(buckets));
    const count = buckets * 200;
    for (let n = 0; n < count; n++) assert(filter.add(salt(n)), `${n}`);
    for (let n = count - buckets * 10; n < count; n++) {
      assert(!filter.add(salt(n)), `${n}`);
    }
    assert(filter.add(salt(0)));
  }
});

Deno.test("RingSaltSet heals what was left by a process that was killed", () => {
  for (const rest of ["full of other bytes", "nothing free", "two free"]) {
    const memory = new Uint8Array(BUCKET_BYTES);
    const filter = filterOf(new RingSaltSet(memory));
    for (let n = 0; n < 70; n++) filter.add(salt(n));
    const tags = new Int32Array(memory.buffer, 0, 31);
    if (rest === "full of other bytes") memory.set(seededBytes(BUCKET_BYTES));
    else if (rest === "nothing free") tags[tags.indexOf(0)] = 5;
    else tags[(tags.indexOf(0) + 1) % 31] = 0;
    for (let n = 100; n < 300; n++) assert(filter.add(salt(n)), rest);
    for (let n = 300 - 30; n < 300; n++) assert(!filter.add(salt(n)), rest);
    assertEquals(tags.filter((tag) => tag === 0).length, 1, rest);
  }
});

Deno.test("SaltFilter.add() refuses no fresh salt of a million", () => {
  for (const set of [new GrowingSaltSet(1 << 19), ringOf(93 << 10)]) {
    const filter = filterOf(set);
    const words = new Uint32Array(4);
    const fresh = new Uint8Array(words.buffer);
    let refused = 0;
    for (let n = 0; n < 1_000_000; n++) {
      words[0] = n;
      words[1] = Math.imul(n, 0x9e3779b1);
      if (!filter.add(fresh)) refused++;
    }
    assertEquals(refused, 0);
  }
});

Deno.test("SaltFilter.add() knows what addOwn() has added, and the reverse does not push it out", () => {
  const filter = filterOf(new GrowingSaltSet(100), new GrowingSaltSet(100));
  assert(filter.add(salt(1, 12)));
  for (let n = 1000; n < 5000; n++) filter.addOwn(salt(n, 12));
  assert(!filter.add(salt(1, 12)));
  assert(!filter.add(salt(4999, 12)));
});

Deno.test("SaltFilter.add() knows every salt that mark() has marked, which keeps none", () => {
  const nothing: SaltSet = {
    has: () => false,
    add: () => true,
  };
  const filter = filterOf(nothing);
  const stranger = new SaltHash(seededBytes(16, 4), KEY, "server");
  const other = new SaltFilter(stranger, { seen: nothing, own: nothing });
  for (const length of [16, 24, 32]) {
    for (let n = 0; n < 1000; n++) {
      const own = salt(n, length);
      filter.mark(own);
      filter.addOwn(own);
      assert(!filter.add(own));
      assert(other.add(own), "another secret");
      assertEquals(own.subarray(0, -4), salt(n, length).subarray(0, -4));
      own[length - 1 - n % length]! ^= 1;
      assert(filter.add(own), "another salt");
    }
  }
  for (const length of [0, 7, 8, 12]) {
    const short = salt(1, Math.max(4, length)).subarray(0, length);
    const before = short.slice();
    filter.mark(short);
    assertEquals(short, before);
  }
});

Deno.test("SaltFilter.mark() makes salts that look random", () => {
  const counts = new Uint32Array(32);
  const rounds = 4096;
  for (let n = 0; n < rounds; n++) {
    const own = salt(n, 32);
    filterOf(new GrowingSaltSet(1)).mark(own);
    const mark = new DataView(own.buffer).getUint32(28, true);
    for (let bit = 0; bit < 32; bit++) counts[bit]! += mark >>> bit & 1;
  }
  // Five standard deviations (sqrt(4096) / 2 = 32) to each side.
  for (const count of counts) assert(Math.abs(count - rounds / 2) < 160);
});

Deno.test("SaltHash spreads salts that were chosen to fall together", () => {
  // Equal in all bytes that a plain hash of the first ones looks at.
  for (const at of [0, 8, 16, 24]) {
    const bytes = new Uint8Array(32);
    const view = new DataView(bytes.buffer);
    const buckets = new Set<number>();
    for (let n = 0; n < 4096; n++) {
      view.setUint32(at, n << 19);
      HASH.update(bytes);
      buckets.add(HASH.first >>> 20);
    }
    // Of 4,096 places as many draws find 63 % (1 - 1/e).
    assert(buckets.size > 2400, `${at}: ${buckets.size}`);
  }
});

Deno.test("SaltHash differs by secret, key and side", () => {
  const hashes = [
    HASH,
    new SaltHash(seededBytes(16, 4), KEY, "server"),
    new SaltHash(seededBytes(16, 3), seededBytes(32, 6), "server"),
    new SaltHash(seededBytes(16, 3), KEY, "client"),
  ].map((hash) => {
    hash.update(salt(1));
    return [hash.first, hash.second];
  });
  for (const other of hashes.slice(1)) {
    assertNotEquals(other[0], hashes[0]![0]);
    assertNotEquals(other[1], hashes[0]![1]);
  }
});

Deno.test("ReplayMemory.forKey() gives equal keys one memory, on each side", () => {
  const memory = ReplayMemory.inMemory();
  const of = (side: "client" | "server", masterKey = KEY) =>
    memory.forKey({ masterKey, isProven: true, side });
  assert(of("server").streams.add(salt(1)));
  assert(!of("server").streams.add(salt(1)));
  assert(of("server").packets.add(salt(1)));
  assert(of("client").streams.add(salt(1)));
  assert(of("server", seededBytes(32, 9)).streams.add(salt(1)));
});

Deno.test("ReplayMemory keeps what proves nothing apart", () => {
  const memory = ReplayMemory.inMemory({ packets: 100 });
  const proven = memory.forKey({
    masterKey: KEY,
    isProven: true,
    side: "server",
  });
  const other = memory.forKey({
    masterKey: KEY,
    isProven: false,
    side: "server",
  });
  assert(proven.packets.add(salt(1)));
  for (let n = 1000; n < 3000; n++) other.packets.add(salt(n));
  assert(!proven.packets.add(salt(1)));
});

Deno.test("ReplayMemory.none() takes every salt for new", () => {
  const owner = { masterKey: KEY, isProven: true, side: "server" } as const;
  const { streams } = ReplayMemory.none().forKey(owner);
  const own = salt(2);
  streams.mark(own);
  assertEquals(own, salt(2));
  streams.addOwn(salt(1));
  assert(streams.add(salt(1)));
  assert(streams.add(salt(1)));
});
