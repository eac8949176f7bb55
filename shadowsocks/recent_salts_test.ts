/**
 * The memory of salts of the 2022 edition, over each kind of set.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { RECENT_BUCKET_BYTES, RingRecentSalts } from "./_ring_recent_salts.ts";
import {
  type ExactSaltSet,
  GrowingRecentSalts,
  RecentSalts,
} from "./recent_salts.ts";
import { ReplayMemory } from "./replay_memory.ts";
import { formatTable, TABLE_BYTES, tableMemory } from "./salt_table.ts";
import { seededBytes } from "../tests/support/bytes.ts";

const SECRET = seededBytes(16, 1);
const OWNER = { masterKey: seededBytes(32, 2), side: "server" } as const;

/** Salts that are counted, which are as good as any under the hash. */
function saltOf(index: number, length = 32): Uint8Array {
  const salt = new Uint8Array(length);
  new DataView(salt.buffer).setUint32(length - 4, index);
  return salt;
}

function growing(capacity = 1 << 19, passed = () => 0): GrowingRecentSalts {
  return new GrowingRecentSalts({ capacity, passed });
}

function ring(buckets: number): RingRecentSalts {
  return new RingRecentSalts(new Uint8Array(buckets * RECENT_BUCKET_BYTES));
}

function salts(set: ExactSaltSet): RecentSalts {
  return new RecentSalts(SECRET, OWNER, set);
}

Deno.test("RecentSalts.add() takes each salt once, and tells any bit", () => {
  for (const set of [growing(), ring(64)]) {
    const memory = salts(set);
    for (const length of [16, 32]) {
      const salt = seededBytes(length, 3);
      assert(memory.add(salt));
      assert(!memory.add(salt.slice()));
      for (let bit = 0; bit < length * 8; bit++) {
        const other = salt.slice();
        other[bit >> 3]! ^= 1 << (bit & 7);
        assert(memory.add(other), `${bit}`);
        assert(!memory.add(other), `${bit}`);
      }
    }
  }
});

Deno.test("RecentSalts.add() keeps keys and sides apart", () => {
  for (const set of [growing(), ring(64)]) {
    const owners = [
      OWNER,
      { ...OWNER, side: "client" },
      { ...OWNER, masterKey: seededBytes(32, 4) },
    ] as const;
    for (const owner of owners) {
      assert(new RecentSalts(SECRET, owner, set).add(saltOf(1)));
      assert(!new RecentSalts(SECRET, owner, set).add(saltOf(1)));
    }
  }
});

Deno.test("RecentSalts.add() refuses no fresh salt of a million, and of the last ones every replay", () => {
  const memory = new Uint8Array(TABLE_BYTES);
  formatTable(memory);
  const owner = { ...OWNER, isProven: true };
  const cases = [
    [ReplayMemory.inMemory({ passed: () => 0 }), 500_000],
    [tableMemory(memory), 200_000],
  ] as const;
  for (const [replays, known] of cases) {
    const { recent } = replays.forKey(owner);
    for (let i = 0; i < 1_000_000; i++) {
      if (!recent.add(saltOf(i))) assert(false, `${i} is fresh`);
    }
    for (let i = 1_000_000 - known; i < 1_000_000; i++) {
      if (recent.add(saltOf(i))) assert(false, `${i} is a replay`);
    }
  }
});

Deno.test("GrowingRecentSalts keeps salts for 61 seconds, and forgets them after 122", () => {
  let now = 0;
  const memory = salts(growing(1 << 19, () => now));
  // One each second, for five minutes.
  for (let second = 0; second < 300; second++) {
    now = second * 1000;
    assert(memory.add(saltOf(second)));
    for (let age = 0; age <= Math.min(60, second); age++) {
      assert(!memory.add(saltOf(second - age)), `${age} s old`);
    }
  }
  assert(memory.add(saltOf(299 - 123)));
});

Deno.test("GrowingRecentSalts knows a salt for as long as its time may be right", () => {
  // From 30 s before to the last millisecond of the thirtieth second behind.
  const latest = 60_999;
  // A generation ends within the first milliseconds after the salt, or later.
  for (const before of [0, 1, 30_000, 59_999, 60_000, 60_999, 61_000]) {
    let now = 0;
    const memory = salts(growing(1 << 19, () => now));
    assert(memory.add(saltOf(0)));
    now = before;
    assert(memory.add(saltOf(1)));
    // Others come all the time, so that each generation ends when it may.
    for (let i = 2; now < before + latest; i++) {
      now = Math.min(now + 333, before + latest);
      assert(memory.add(saltOf(i)));
    }
    assert(!memory.add(saltOf(1)), `${before} ms after a generation began`);
  }
});

Deno.test("GrowingRecentSalts forgets the oldest when there are too many, and takes every fresh one", () => {
  const memory = salts(growing(100));
  for (let i = 0; i < 1000; i++) {
    assert(memory.add(saltOf(i)));
    assert(!memory.add(saltOf(Math.max(0, i - 99))));
  }
});

Deno.test("RingRecentSalts forgets the oldest of a bucket, and takes every fresh one", () => {
  const memory = salts(ring(1));
  for (let i = 0; i < 1000; i++) {
    assert(memory.add(saltOf(i)));
    for (let age = 0; age < Math.min(30, i + 1); age++) {
      assert(!memory.add(saltOf(i - age)), `${age} after ${i}`);
    }
  }
  assert(memory.add(saltOf(0)));
});

Deno.test("RingRecentSalts goes on from any state of its memory", () => {
  for (let seed = 1; seed < 50; seed++) {
    const bytes = seededBytes(RECENT_BUCKET_BYTES, seed);
    const set = new RingRecentSalts(Uint8Array.from(bytes));
    const memory = salts(set);
    for (let i = 0; i < 40; i++) {
      assert(memory.add(saltOf(i)));
      assert(!memory.add(saltOf(i)));
    }
  }
});

Deno.test("RingRecentSalts takes a salt that died half written for none of another tag", () => {
  const bytes = new Uint8Array(RECENT_BUCKET_BYTES);
  const words = new Int32Array(bytes.buffer);
  // A tag without the words behind it, as a process leaves it that is killed.
  words[0] = 7;
  const memory = salts(new RingRecentSalts(bytes));
  for (let i = 0; i < 100; i++) assert(memory.add(saltOf(i)));
});

Deno.test("tableMemory() gives all who have a table one memory of recent salts", () => {
  const memory = new Uint8Array(TABLE_BYTES);
  formatTable(memory);
  const owner = { ...OWNER, isProven: true };
  const changed = new Set<number>();
  const marks = new Uint8Array(Math.ceil(TABLE_BYTES / 8192));
  const one = tableMemory(memory, { marks }).forKey(owner);
  const other = tableMemory(memory).forKey(owner);
  assert(one.recent.add(saltOf(1)));
  assert(!other.recent.add(saltOf(1)));
  for (const [i, mark] of marks.entries()) if (mark === 1) changed.add(i);
  assertEquals(changed.size, 1, "the part that changed is saved");
});

Deno.test("ExactSaltSet.add() compares all four words", () => {
  for (const set of [growing(), ring(1)]) {
    const hash = Int32Array.of(-5, 7, 1 << 31, 11);
    assert(set.add(hash));
    for (let i = 0; i < 4; i++) {
      const other = hash.slice();
      other[i]! ^= 0x100;
      assert(set.add(other), `word ${i}`);
      assert(!set.add(other), `word ${i}`);
    }
    assert(!set.add(hash));
  }
});

Deno.test("RingRecentSalts leaves nothing of a salt in a slot that is free", () => {
  const words = new Int32Array(RECENT_BUCKET_BYTES / 4);
  const memory = salts(new RingRecentSalts(new Uint8Array(words.buffer)));
  for (let i = 0; i < 100; i++) {
    memory.add(saltOf(i));
    for (let slot = 0; slot < 31; slot++) {
      if (words[slot] !== 0) continue;
      const rest = [32, 64, 96].map((plane) => words[plane + slot]);
      assertEquals(rest, [0, 0, 0], `slot ${slot} after ${i}`);
    }
  }
});
