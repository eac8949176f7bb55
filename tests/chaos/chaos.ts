/**
 * Transfers files over a network that misbehaves: six methods, up, down and
 * both, with several seeds; then connections that are reset at any byte, and
 * datagrams that are lost, doubled and late.
 *
 * Usage: `deno task chaos [seeds] [megabytes] [resets]`, by default 3, 100 and
 * 1000. With `SS_EXECUTABLE` the executable is tried instead of the source.
 * Exit 1 if anything was wrong.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a script talks to its terminal

import { seededBytes } from "../support/mod.ts";
import {
  ChaosPair,
  cutTransfer,
  datagrams,
  DIRECTIONS,
  METHODS,
  transfer,
} from "./_trials.ts";

const MEGABYTE = 1_000_000;
/** Datagrams of each method. */
const DATAGRAMS = 1000;

if (import.meta.main) {
  const [seeds = 3, megabytes = 100, resets = 1000] = Deno.args.map(Number);
  const wrong: string[] = [];
  let done = 0;
  const attempt = async (what: string, use: () => Promise<unknown>) => {
    const start = performance.now();
    try {
      await use();
      done++;
    } catch (error) {
      wrong.push(`${what}: ${error}`);
      console.error(wrong.at(-1));
    }
    return ((performance.now() - start) / 1000).toFixed(1);
  };
  for (const method of METHODS) {
    for (let seed = 1; seed <= seeds; seed++) {
      const file = seededBytes(megabytes * MEGABYTE, seed);
      await using pair = await ChaosPair.start(method, seed);
      for (const direction of DIRECTIONS) {
        const what = `${method}, ${direction}, seed ${seed}`;
        const use = (): Promise<void> => transfer(pair, direction, file);
        console.log(`${what}: ${await attempt(what, use)} s`);
      }
    }
  }
  // A stream method cannot tell where its bytes were cut, but by the reset.
  const perMethod = Math.ceil(resets / METHODS.length);
  for (const method of METHODS) {
    await using pair = await ChaosPair.start(method, 1);
    for (let seed = 1; seed <= perMethod; seed++) {
      await attempt(`${method}, reset`, () => cutTransfer(pair, seed));
    }
    console.log(`${method}: ${perMethod} cut, ${pair.network.resets} reset`);
    await using other = await ChaosPair.start(method, 1, { udp: true });
    let back = 0;
    await attempt(`${method}, datagrams`, async () => {
      back = await datagrams(other, DATAGRAMS);
    });
    console.log(`${method}: ${back} of ${DATAGRAMS} datagrams came back`);
  }
  console.log(`${done} as they must be, ${wrong.length} not`);
  Deno.exit(wrong.length === 0 ? 0 : 1);
}
