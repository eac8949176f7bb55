/**
 * For tests: what a session has come to.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Session, Status } from "../../relay/mod.ts";
import { type LoopOnFakes, TAG_LENGTH } from "./_relay_fixture.ts";

/** Bytes of an AEAD chunk. */
export function chunk(length: number): number {
  return 2 + TAG_LENGTH + length + TAG_LENGTH;
}

/** What a session is to have come to. */
export interface End {
  readonly status: Status;
  readonly up?: number;
  readonly down?: number;
  /** Bytes read from the client. */
  readonly received: number;
}

/** Checks that one session was opened and has ended, once, as it should. */
export function assertEnd(fixture: LoopOnFakes, end: End): Session {
  assertEquals(fixture.opened.length, 1);
  assertEquals(fixture.ended.length, 1, "ends");
  const [session] = fixture.ended;
  assert(session === fixture.opened[0]);
  const { status, up, down, received } = session!;
  assertEquals({ status, up, down, received }, { up: 0, down: 0, ...end });
  assertEquals(session!.ended, fixture.clock.now());
  return session!;
}
