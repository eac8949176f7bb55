/**
 * For tests: a loop over a fake network, with a clock that stands still until
 * the test moves it, or that jumps to what happens next.
 *
 * @module
 */

import { FakeClock } from "./_fake_clock.ts";
import { EventLoop } from "./event_loop.ts";
import { FakePoller } from "./_fake_poller.ts";

/** Any moment but 0, so that a reading of 0 is seen as a fault. */
const START = 5_000_000;

/**
 * A clock, a poller of fakes, and a loop over both.
 *
 * `settle` and `advance` leave the clock to the test; `run`, and `run` of the
 * loop itself, let it jump from one thing that happens to the next.
 */
export class FakeNet {
  /** The clock of the loop. */
  readonly clock: FakeClock;
  /** Makes the fakes. */
  readonly poller: FakePoller;
  /** The loop. */
  readonly loop: EventLoop;

  /**
   * Makes a loop that does not run yet.
   *
   * @param start The clock's first reading in milliseconds.
   */
  constructor(start: number = START) {
    this.clock = new FakeClock(start);
    this.poller = new FakePoller({ clock: this.clock });
    this.loop = new EventLoop(this.poller, { clock: this.clock });
  }

  /**
   * Runs the loop until nothing is ready; the clock stands still.
   *
   * @returns Settles then.
   */
  async settle(): Promise<void> {
    this.poller.begin();
    this.poller.onIdle = () => this.loop.stop();
    try {
      await this.loop.run();
    } finally {
      this.poller.onIdle = undefined;
    }
  }

  /**
   * Moves the clock in one step, runs what is due by then and what follows.
   *
   * @param milliseconds How far.
   * @returns Settles when nothing is ready any more.
   */
  async advance(milliseconds: number): Promise<void> {
    this.clock.advance(milliseconds);
    this.loop.runDue();
    await this.settle();
  }

  /**
   * Runs for a virtual time, each thing at its own moment.
   *
   * @param milliseconds How long.
   * @returns Settles when it is over.
   */
  async run(milliseconds: number): Promise<void> {
    this.loop.addTimer(milliseconds, () => this.loop.stop());
    await this.loop.run();
  }
}
