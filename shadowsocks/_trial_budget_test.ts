/**
 * Tests of what strangers' packets may cost.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { TrialBudget } from "./_trial_budget.ts";

Deno.test("TrialBudget.start() gives 100 ms at once and in each second", () => {
  let now = 5;
  const budget = new TrialBudget({ passed: () => now });
  /** Searches of 2 ms until there is no time left. */
  const searches = (): number => {
    let count = 0;
    for (; budget.start(); count++) {
      now += 2;
      budget.stop();
    }
    return count;
  };
  // What passes while it is searched is no gain.
  assertEquals(searches(), 50);
  assert(!budget.start());
  now += 100;
  assertEquals(searches(), 5);
  now += 1000;
  assertEquals(searches(), 50);
  now += 3_600_000;
  assertEquals(searches(), 50);
});

Deno.test("TrialBudget.start() makes up for a search that took too long", () => {
  let now = 0;
  const budget = new TrialBudget({ passed: () => now });
  assert(budget.start());
  now += 300;
  budget.stop();
  now += 1999;
  assert(!budget.start());
  now += 2;
  assert(budget.start());
});
