import { assert, assertEquals } from "@std/assert";
import { DenoTurns } from "./_turn.ts";

Deno.test("DenoTurns.take() lets timers ring though no call sleeps", async () => {
  using turns = new DenoTurns();
  let rings = 0;
  let timer: ReturnType<typeof setTimeout>;
  const ring = (): void => {
    rings++;
    timer = setTimeout(ring, 0);
  };
  timer = setTimeout(ring, 0);
  for (let i = 1; i <= 20; i++) {
    assertEquals(await turns.take(() => Promise.resolve(i)), i);
  }
  clearTimeout(timer!);
  assert(rings >= 5, `it rang ${rings} times in 20 turns`);
});

Deno.test("DenoTurns leaves no timer behind when it is disposed of", async () => {
  // The sanitizers look for it.
  using turns = new DenoTurns();
  await turns.take(() => Promise.resolve());
});
