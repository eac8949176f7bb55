/**
 * Tests of lines on their way to what may stand still.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { LineQueue, type LineTarget } from "./_line_queue.ts";

/** A target whose writes wait until they are let go. */
class StalledTarget implements LineTarget {
  /** What has arrived. */
  text = "";
  /** Whether it was closed. */
  isClosed = false;
  /** Most bytes of one write. */
  most = Infinity;
  #stall = Promise.withResolvers<void>();

  /** Lets the writes go. */
  release(): void {
    this.#stall.resolve();
  }

  /** Fails the writes that wait; later ones succeed. */
  fail(): void {
    this.#stall.reject(new Error("No space left on device"));
    this.#stall = Promise.withResolvers<void>();
    this.#stall.resolve();
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.#stall.promise;
    const part = bytes.subarray(0, this.most);
    this.text += new TextDecoder().decode(part);
    return part.length;
  }

  close(): void {
    this.isClosed = true;
  }
}

/** A queue that says how many lines it has lost. */
function queueTo(target: LineTarget): LineQueue {
  return new LineQueue(target, (count) => `${count} lost\n`);
}

Deno.test("LineQueue.write() keeps the order when a target takes a part at a time", async () => {
  const target = new StalledTarget();
  target.most = 3;
  const queue = queueTo(target);
  queue.write("one\n");
  queue.write("two\n");
  target.release();
  queue.write("three\n");
  await queue.flush();
  assertEquals(target.text, "one\ntwo\nthree\n");
});

Deno.test("LineQueue.write() holds so much and counts the rest when a target stalls", async () => {
  const target = new StalledTarget();
  const queue = queueTo(target);
  const line = `${"x".repeat(1023)}\n`;
  const count = 10_000;
  for (let i = 0; i < count; i++) queue.write(line);
  target.release();
  await queue.flush();
  const lines = target.text.split("\n").slice(0, -1);
  const said = lines.pop();
  assertEquals(said, `${count - lines.length} lost`);
  // One line is on its way, and 256 KiB wait.
  assertEquals(lines.length, 257);
  queue.write("again\n");
  await queue.flush();
  assert(target.text.endsWith(" lost\nagain\n"), "said once");
});

Deno.test("LineQueue.write() counts what cannot be written and says it with the next lines", async () => {
  const target = new StalledTarget();
  const queue = queueTo(target);
  queue.write("gone\n");
  target.fail();
  await queue.flush();
  queue.write("here\n");
  await queue.flush();
  assertEquals(target.text, "here\n1 lost\n");
});

Deno.test("LineQueue.write() goes on after an empty text", async () => {
  const target = new StalledTarget();
  const queue = queueTo(target);
  queue.write("");
  queue.write("here\n");
  target.release();
  await queue.flush();
  assertEquals(target.text, "here\n");
});

Deno.test("LineQueue.flush() waits no longer than it is told", async () => {
  const target = new StalledTarget();
  const queue = queueTo(target);
  queue.write("late\n");
  await queue.flush(0);
  assertEquals(target.text, "");
  target.release();
  await queue.flush();
  assertEquals(target.text, "late\n");
});

Deno.test("LineQueue.moveTo() closes the former target once its write has ended", async () => {
  const [former, target] = [new StalledTarget(), new StalledTarget()];
  const queue = queueTo(former);
  queue.write("one\n");
  queue.write("two\n");
  queue.moveTo(target);
  assertEquals(former.isClosed, false);
  former.release();
  target.release();
  await queue.flush();
  assertEquals([former.text, former.isClosed], ["one\n", true]);
  assertEquals([target.text, target.isClosed], ["two\n", false]);
});

Deno.test("LineQueue.close() drops what waits and closes the target once its write has ended", async () => {
  const target = new StalledTarget();
  const queue = queueTo(target);
  queue.write("one\n");
  queue.write("two\n");
  queue.close();
  assertEquals(target.isClosed, false);
  target.release();
  await queue.flush();
  assertEquals([target.text, target.isClosed], ["one\n", true]);
});
