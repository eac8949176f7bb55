/**
 * A short run of the fuzzer, and tests of the fuzzer itself.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Choices } from "./_choices.ts";
import { Fuzzer, seedOf } from "./_fuzzer.ts";
import { type FuzzTarget, promise } from "./_target.ts";
import { ALL_TARGETS } from "./targets.ts";

/** Milliseconds of the short run: each target has a turn. */
const SHORT = 1;
/** That of the short run; others are for `deno task fuzz`. */
const SEED = 20_220_101;

Deno.test({
  name:
    "Everything that takes bytes of others withstands a short run of the fuzzer",
  // Native libraries stay loaded, and caches of names have timers.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const fuzzer = new Fuzzer({
      targets: ALL_TARGETS,
      time: SHORT,
      seed: SEED,
    });
    const { findings, targets } = await fuzzer.run();
    assertEquals(
      findings.map(({ target, seed, error }) => `${target} ${seed}: ${error}`),
      [],
    );
    assert(targets.length > 15);
    for (const { name, inputs } of targets) assert(inputs > 0, name);
  },
});

Deno.test("Fuzzer finds what is wrong, and the smallest input that shows it", async () => {
  const target: FuzzTarget = {
    name: "sorted",
    open: () => ({
      run(choices): void {
        const bytes = choices.bytes(choices.below(60));
        promise(!bytes.includes(200), "no byte is 200");
      },
    }),
  };
  const { findings } = await new Fuzzer({
    targets: [target],
    time: 100,
    seed: 1,
  }).run();
  const [first] = findings;
  if (first === undefined) throw new Error("nothing was found");
  assertEquals(first.choices, [1, 200]);
  const again = target.open() as { run(choices: Choices): void };
  for (const source of [first.seed, first.choices]) {
    let failure: unknown;
    try {
      again.run(new Choices(source));
    } catch (error) {
      failure = error;
    }
    assert(failure instanceof Error);
  }
});

Deno.test("seedOf() gives every input of every target another seed", () => {
  const seeds = new Set<number>();
  for (const target of ["a", "b"]) {
    for (let n = 0; n < 1000; n++) seeds.add(seedOf(1, target, n));
  }
  assertEquals(seeds.size, 2000);
});
