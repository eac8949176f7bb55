/**
 * Tests of the loop's own parts, on a clock that stands still. What needs
 * sockets is in the contract tests.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { FakeClock } from "./_fake_clock.ts";
import { EventLoop } from "./event_loop.ts";
import { TIMEOUT_PRECISION } from "./events.ts";
import { FakeNet, FakePoller } from "./fakes.ts";

const PERIOD = TIMEOUT_PRECISION * 1000;

Deno.test("EventLoop.time() is the clock in seconds", () => {
  const { clock, loop } = new FakeNet(5000);
  assertEquals(loop.time(), 5);
  clock.advance(1500);
  assertEquals(loop.time(), 6.5);
});

Deno.test("EventLoop.addPeriodic() calls every ten seconds", () => {
  const { clock, loop } = new FakeNet(5000);
  let calls = 0;
  const callback = (): void => void calls++;
  loop.addPeriodic(callback);
  loop.addPeriodic(callback);
  loop.runDue();
  assertEquals(calls, 0, "not at once");
  clock.advance(PERIOD - 1);
  loop.runDue();
  assertEquals(calls, 0);
  clock.advance(1);
  loop.runDue();
  loop.runDue();
  assertEquals(calls, 1, "once, though added twice");
  clock.advance(3 * PERIOD);
  loop.runDue();
  assertEquals(calls, 2, "missed periods are not made up for");
  loop.removePeriodic(callback);
  loop.removePeriodic(callback);
  clock.advance(PERIOD);
  loop.runDue();
  assertEquals(calls, 2);
});

Deno.test("EventLoop.addPeriodic() inside a callback waits a period", () => {
  const { clock, loop } = new FakeNet(5000);
  const calls: string[] = [];
  const second = (): void => void calls.push("second");
  loop.addPeriodic(() => {
    calls.push("first");
    loop.addPeriodic(second);
  });
  clock.advance(PERIOD);
  loop.runDue();
  assertEquals(calls, ["first"]);
  clock.advance(PERIOD);
  loop.runDue();
  assertEquals(calls, ["first", "first", "second"]);
});

Deno.test("EventLoop.removePeriodic() inside a callback holds at once", () => {
  const { clock, loop } = new FakeNet(5000);
  const calls: string[] = [];
  const second = (): void => void calls.push("second");
  const first = (): void => {
    calls.push("first");
    loop.removePeriodic(first);
    loop.removePeriodic(second);
  };
  loop.addPeriodic(first);
  loop.addPeriodic(second);
  for (let i = 0; i < 2; i++) {
    clock.advance(PERIOD);
    loop.runDue();
  }
  assertEquals(calls, ["first"]);
});

Deno.test("EventLoop.runDue() goes on when a callback throws", () => {
  const { clock, loop } = new FakeNet(5000);
  const calls: string[] = [];
  const fail = (): void => {
    throw new Error("a defect");
  };
  loop.addTimer(1, fail);
  loop.addTimer(1, () => calls.push("timer"));
  loop.addPeriodic(fail);
  loop.addPeriodic(() => calls.push("periodic"));
  clock.advance(PERIOD);
  loop.runDue();
  assertEquals(calls, ["timer", "periodic"]);
});

Deno.test("EventLoop.addTimer() calls once, unless cancelled", () => {
  const { clock, loop } = new FakeNet(5000);
  const calls: string[] = [];
  loop.addTimer(10, () => calls.push("kept"));
  loop.addTimer(10, () => calls.push("cancelled")).cancel();
  loop.runDue();
  assertEquals(calls, []);
  clock.advance(10);
  loop.runDue();
  clock.advance(10);
  loop.runDue();
  assertEquals(calls, ["kept"]);
});

Deno.test("EventLoop.addQuiet() calls once the loop has been quiet for a second", async () => {
  const clock = new FakeClock(5000);
  const calls: number[] = [];
  /** Milliseconds until each poll returns, and how many events it brings. */
  const script = [[900, 1], [999, 1], [999, 0], [1, 0], [5000, 0], [1, 1], [
    1000,
    0,
  ]];
  const loop: EventLoop = new EventLoop(
    new ScriptedPoller(() => {
      const [milliseconds, count] = script.shift() ?? [0, 0];
      clock.advance(milliseconds!);
      if (script.length === 0) loop.stop();
      return count!;
    }),
    { clock },
  );
  loop.addQuiet(() => calls.push(clock.now() - 5000));
  await loop.run();
  assertEquals(calls, [900 + 999 + 1000, 900 + 999 + 1000 + 5001 + 1000]);
});

/** A poller that can block, and whose events are nobody's. */
class ScriptedPoller extends FakePoller {
  readonly #onPoll: () => number;

  constructor(onPoll: () => number) {
    super({ blocking: true });
    this.#onPoll = onPoll;
  }

  override poll(): number {
    return this.#onPoll();
  }
}

Deno.test("EventLoop.giveTurn() has promises go on before the next wait", async () => {
  const seen: number[] = [];
  let settled = 0;
  const loop: EventLoop = new EventLoop(
    new ScriptedPoller(() => {
      seen.push(settled);
      if (seen.length === 4) loop.stop();
      if (seen.length === 2) loop.giveTurn();
      Promise.resolve().then(() => settled++);
      // The first event makes the loop busy: it blocks instead of waiting.
      return seen.length === 1 ? 1 : 0;
    }),
    { clock: new FakeClock() },
  );
  await loop.run();
  // Time stands still: but for the one asked for, no turn is given.
  assertEquals(seen, [0, 0, 2, 2]);
});
