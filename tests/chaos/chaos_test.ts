/**
 * Short trials over a network that misbehaves; `deno task chaos` has long ones.
 *
 * @module
 */

import { assert } from "@std/assert";
import { seededBytes } from "../support/mod.ts";
import {
  ChaosPair,
  cutTransfer,
  datagrams,
  DIRECTIONS,
  METHODS,
  transfer,
} from "./_trials.ts";

const FILE = 1_000_000;
const RESETS = 10;
const DATAGRAMS = 200;

for (const method of METHODS) {
  Deno.test(`Both roles deliver every byte, or a true beginning and a reset, over a network that misbehaves (${method})`, async () => {
    await using pair = await ChaosPair.start(method, 7);
    for (const direction of DIRECTIONS) {
      await transfer(pair, direction, seededBytes(FILE, 7));
    }
    for (let seed = 1; seed <= RESETS; seed++) await cutTransfer(pair, seed);
    assert(pair.network.resets > RESETS / 2, "the network has reset some");
  });

  Deno.test(`Both roles deliver no datagram twice over a network that doubles them (${method})`, async () => {
    await using pair = await ChaosPair.start(method, 7, { udp: true });
    const back = await datagrams(pair, DATAGRAMS);
    // A tenth is lost on each way, so four fifths come back.
    assert(back > DATAGRAMS / 2, `${back}`);
  });
}
