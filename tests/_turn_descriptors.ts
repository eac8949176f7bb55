/**
 * Run by `loop/descriptors_test.ts` in a process of its own, since the files of
 * a parallel run share one: prints how many descriptors a turn of Deno's own
 * loop opens.
 *
 * Usage: `deno run -A tests/_turn_descriptors.ts epoll|deno`.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- the answer is what it prints

import { makePoller, type Poller } from "../loop/mod.ts";

function count(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

const poller = await makePoller(Deno.args[0] as Poller["name"]);
const before = count();
await poller.turn();
console.log(count() - before);
Deno.exit();
