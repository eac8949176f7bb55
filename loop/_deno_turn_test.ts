/**
 * Turns of Deno's own loop: that it looks, and that nothing is left behind.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { DenoTurns } from "./_deno_turn.ts";

/** Counts the rings of a timer that is always due. */
class Bell implements Disposable {
  rings = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.#set();
  }

  #set(): void {
    this.#timer = setTimeout(() => {
      this.rings++;
      this.#set();
    }, 0);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

Deno.test("DenoTurns.take() has Deno serve what it gets from the system", async () => {
  using turns = new DenoTurns();
  await turns.take();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const accepted: Deno.Conn[] = [];
  const accepting = listener.accept().then((conn) => accepted.push(conn));
  using _client = await Deno.connect({ hostname: "127.0.0.1", port });
  // The accept was asked for before the turn, so the turn brings it.
  for (let i = 0; i < 2 && accepted.length === 0; i++) await turns.take();
  assertEquals(accepted.length, 1);
  await accepting;
  accepted[0]!.close();
  listener.close();
});

Deno.test("DenoTurns.take() lets timers ring while nothing else sleeps", async () => {
  using turns = new DenoTurns();
  using bell = new Bell();
  const start = performance.now();
  while (bell.rings === 0 && performance.now() - start < 5000) {
    await turns.take();
  }
  assert(bell.rings > 0);
});

Deno.test("DenoTurns.take() gives turns when its connection is gone", async () => {
  using bell = new Bell();
  const turns = new DenoTurns();
  await turns.take();
  const last = turns.take();
  turns[Symbol.dispose]();
  await last;
  for (let i = 0; i < 5; i++) await turns.take();
  assert(bell.rings >= 3, `it rang ${bell.rings} times in 5 turns`);
});

Deno.test("DenoTurns can be disposed of before its connection is made", async () => {
  // The sanitizers look for what is left.
  const turns = new DenoTurns();
  const first = turns.take();
  turns[Symbol.dispose]();
  await first;
});

Deno.test(
  "DenoTurns.take() ends when only some descriptors of a connection can be had",
  {
    ignore: Deno.build.os === "windows",
  },
  async () => {
    const script = new URL("../tests/_turn_limit.ts", import.meta.url).pathname;
    const child = new Deno.Command("sh", {
      args: [
        "-c",
        'ulimit -n 64; exec "$0" run -A "$1"',
        Deno.execPath(),
        script,
      ],
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    const late = setTimeout(() => child.kill("SIGKILL"), 20_000);
    const { success } = await child.status;
    clearTimeout(late);
    assert(success);
  },
);
