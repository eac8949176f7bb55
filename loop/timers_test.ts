/**
 * Tests of the timer queue.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { FakeClock } from "./_fake_clock.ts";
import { type Timer, TimerQueue } from "./timers.ts";

/** A queue over a clock that the test moves, and the names called. */
function setUp(): {
  clock: FakeClock;
  timers: TimerQueue;
  calls: string[];
  add: (delay: number, name: string) => Timer;
  run: () => string[];
} {
  const clock = new FakeClock(1000);
  const timers = new TimerQueue(clock);
  const calls: string[] = [];
  return {
    clock,
    timers,
    calls,
    add: (delay, name) => timers.add(delay, () => calls.push(name)),
    run: () => {
      timers.run((callback) => callback());
      return calls.splice(0);
    },
  };
}

Deno.test("TimerQueue.run() calls what is due, the earliest first", () => {
  const { clock, timers, add, run } = setUp();
  add(30, "c");
  add(10, "a");
  add(20, "b");
  add(10, "a2");
  assertEquals(timers.next, 1010);
  assertEquals(run(), []);
  clock.advance(9);
  assertEquals(run(), []);
  clock.advance(1);
  assertEquals(run(), ["a", "a2"]);
  assertEquals(timers.next, 1020);
  clock.advance(100);
  assertEquals(run(), ["b", "c"]);
  assertEquals(timers.next, Infinity);
  assertEquals(run(), []);
});

Deno.test("TimerQueue.add() rounds a delay up, and a negative one to 0", () => {
  const { clock, timers, add, run } = setUp();
  const timer = add(0.1, "soon");
  assertEquals(timer.due, 1001);
  add(-5, "now");
  assertEquals(timers.next, 1000);
  assertEquals(run(), ["now"]);
  clock.advance(1);
  assertEquals(run(), ["soon"]);
});

Deno.test("Timer.cancel() keeps a timer from being called", () => {
  const { clock, timers, add, run } = setUp();
  const first = add(10, "first");
  const second = add(10, "second");
  assert(first.active);
  first.cancel();
  first.cancel();
  assert(!first.active && second.active);
  {
    using _scoped = add(5, "scoped");
  }
  assertEquals(timers.next, 1010);
  clock.advance(10);
  assertEquals(run(), ["second"]);
  assert(!second.active);
  second.cancel();
});

Deno.test("Timer.cancel() works on a timer of the same run", () => {
  const { clock, timers, run } = setUp();
  const calls: string[] = [];
  const second = timers.add(2, () => calls.push("second"));
  timers.add(1, () => {
    calls.push("first");
    second.cancel();
  });
  clock.advance(5);
  run();
  assertEquals(calls, ["first"]);
});

Deno.test("TimerQueue.run() leaves a timer added meanwhile to the next run", () => {
  const { clock, timers } = setUp();
  let calls = 0;
  const again = (): void => {
    calls++;
    timers.add(0, again);
  };
  timers.add(0, again);
  for (let i = 1; i <= 3; i++) {
    timers.run((callback) => callback());
    assertEquals(calls, i);
  }
  assertEquals(timers.next, clock.now());
});

Deno.test("TimerQueue.run() hands errors to its guard and goes on", () => {
  const { timers, calls, add } = setUp();
  timers.add(0, () => {
    throw new Error("a defect");
  });
  add(0, "after");
  const errors: unknown[] = [];
  timers.run((callback) => {
    try {
      callback();
    } catch (error) {
      errors.push(error);
    }
  });
  assertEquals(calls, ["after"]);
  assertEquals(errors.length, 1);
});

Deno.test("TimerQueue.next is Infinity when every timer is cancelled", () => {
  const { clock, timers, add, run } = setUp();
  for (const count of [1, 511, 512, 513, 2000]) {
    const set = Array.from({ length: count }, () => add(300, "x"));
    for (const timer of set) timer.cancel();
    assertEquals(timers.next, Infinity, `${count} timers`);
  }
  clock.advance(1000);
  assertEquals(run(), []);
});

Deno.test("TimerQueue keeps order when most timers are cancelled", () => {
  const { clock, add, run } = setUp();
  const kept: string[] = [];
  for (let i = 0; i < 3000; i++) {
    const timer = add(300, `t${i}`);
    if (i % 100 === 99) kept.push(`t${i}`);
    else timer.cancel();
    if (i === 1500) clock.advance(1);
  }
  clock.advance(300);
  assertEquals(run(), kept);
});
