/**
 * Tests of the table of UDP sessions of a server.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { AeadKey } from "../crypto/mod.ts";
import { type Sip022Session, Sip022Sessions } from "./_sip022_sessions.ts";
import { newUser } from "./_sip022_users.ts";
import { seededBytes } from "../tests/support/bytes.ts";

const MAX_SESSIONS = 8192;
const ALICE = newUser("Alice", seededBytes(16, 1));
const BOB = newUser("Bob", seededBytes(16, 2));

/** A header of the session with this number. */
function headerOf(session: number): Uint8Array {
  const header = new Uint8Array(16);
  new DataView(header.buffer).setUint32(4, session);
  return header;
}

/** A table, its clock and the keys that are alive. */
class Fixture {
  elapsed = 5000;
  keys = 0;
  readonly sessions;

  constructor(associations?: number) {
    this.sessions = new Sip022Sessions(() => this.elapsed, associations);
  }

  newKey(): AeadKey {
    this.keys++;
    return {
      sealPart: () => {},
      openPart: () => false,
      [Symbol.dispose]: () => void this.keys--,
    };
  }

  begin(session: number, user = ALICE): Sip022Session {
    const key = this.newKey();
    const made = this.sessions.make(headerOf(session), user, key);
    this.sessions.keep(made);
    made.sealKey = this.newKey();
    return made;
  }

  has(session: number, user = ALICE): boolean {
    return this.sessions.find(headerOf(session), user) !== undefined;
  }
}

Deno.test("Sip022Sessions keeps sessions of equal IDs of two users apart, whoever ends first", () => {
  const fixture = new Fixture();
  const { sessions } = fixture;
  const alice = fixture.begin(1, ALICE);
  fixture.elapsed += 40_000;
  const bob = fixture.begin(1, BOB);
  assert(alice.text !== bob.text);
  assertStrictEquals(sessions.find(headerOf(1), ALICE), alice);
  assertStrictEquals(sessions.find(headerOf(1), BOB), bob);
  fixture.elapsed += 40_000;
  fixture.begin(2);
  assertEquals(sessions.find(headerOf(1), ALICE), undefined);
  assertStrictEquals(sessions.find(headerOf(1), BOB), bob);
});

Deno.test("Sip022Sessions keeps a session for 60 s after its last packet, and wipes its keys then", () => {
  for (const late of [0, 999]) {
    const fixture = new Fixture();
    const first = fixture.begin(1);
    fixture.elapsed += late;
    fixture.sessions.use(first);
    fixture.elapsed += 61_000;
    fixture.begin(2);
    assert(fixture.has(1), `used ${late} ms after it began`);
    assertEquals(fixture.keys, 4);
    fixture.elapsed += 2001 - late;
    fixture.begin(3);
    assert(!fixture.has(1));
    assertEquals([fixture.keys, first.sealKey], [4, undefined]);
    fixture.sessions.use(first);
    assert(!fixture.has(1), "it does not come back");
    fixture.sessions[Symbol.dispose]();
    assertEquals([fixture.keys, fixture.sessions.size], [0, 0]);
  }
});

Deno.test("Sip022Sessions keeps 8,192 sessions, and those that were used last", () => {
  const fixture = new Fixture();
  const first = fixture.begin(0);
  for (let n = 1; n < MAX_SESSIONS; n++) fixture.begin(n);
  fixture.elapsed += 1000;
  fixture.sessions.use(first);
  for (let n = 0; n < 100; n++) fixture.begin(MAX_SESSIONS + n);
  assertEquals(fixture.sessions.size, MAX_SESSIONS);
  assertEquals(fixture.keys, 2 * MAX_SESSIONS);
  assert(fixture.has(0));
  assert(!fixture.has(1) && !fixture.has(100) && fixture.has(101));
});

Deno.test("Sip022Sessions keeps a session for each association, however many", () => {
  for (const associations of [1, 512, 8192, 10_000]) {
    const fixture = new Fixture(associations);
    for (let n = 0; n < 12_000; n++) fixture.begin(n);
    const most = Math.max(associations, MAX_SESSIONS);
    assertEquals(fixture.sessions.size, most);
    assert(fixture.has(12_000 - most) && !fixture.has(12_000 - most - 1));
  }
});

Deno.test("Sip022Sessions gives a replaced user the session if the key is the same, else another", () => {
  const fixture = new Fixture();
  const session = fixture.begin(1);
  const same = newUser("Alice", ALICE.key.slice());
  assertStrictEquals(fixture.sessions.find(headerOf(1), same), session);
  assertStrictEquals(session.user, same);
  const other = newUser("Alice", BOB.key);
  assert(!fixture.has(1, other));
  const renewed = fixture.begin(1, other);
  assertStrictEquals(fixture.sessions.find(headerOf(1), other), renewed);
  assertEquals([fixture.sessions.size, fixture.keys], [1, 2]);
});
