/**
 * Tests of the table of salts that threads and processes share.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { ReplayMemory } from "./replay_memory.ts";
import {
  formatTable,
  TABLE_BYTES,
  tableMemory,
  tableProblem,
} from "./salt_table.ts";
import { seededBytes } from "../tests/support/bytes.ts";

const OWNER = {
  masterKey: seededBytes(32),
  isProven: true,
  side: "server",
} as const;

function newTable(): Uint8Array {
  const memory = new Uint8Array(TABLE_BYTES);
  formatTable(memory);
  return memory;
}

Deno.test("tableProblem() finds none in what formatTable() has written", () => {
  assertEquals(tableProblem(newTable().subarray(0, 4096)), undefined);
  assert(TABLE_BYTES <= 40_000_000, "less than 40 MB for a million");
});

Deno.test("tableProblem() tells a broken table", () => {
  const memory = newTable();
  assertEquals(tableProblem(memory.subarray(0, 100)), "it is too short");
  assertEquals(tableProblem(new Uint8Array(5000)), "it is no replay memory");
  for (let at = 8; at < 228; at++) {
    memory[at]! ^= 1;
    assert(tableProblem(memory) !== undefined, `byte ${at}`);
    memory[at]! ^= 1;
  }
  memory[8] = 1;
  assertEquals(tableProblem(memory), "its version is 1, not 2");
});

Deno.test("tableMemory() gives all who have a table one memory", () => {
  const memory = newTable();
  const [one, other] = [tableMemory(memory), tableMemory(memory)]
    .map((each: ReplayMemory) => each.forKey(OWNER));
  const salt = seededBytes(32, 7);
  assert(one!.streams.add(salt));
  assert(!other!.streams.add(salt));
  assert(one!.packets.add(salt), "packets are apart");
  one!.packets.addOwn(seededBytes(12, 8));
  assert(!other!.packets.add(seededBytes(12, 8)));
  one!.packets.mark(salt);
  assert(!other!.packets.add(salt));
});

for (const kind of ["streams", "recent"] as const) {
  Deno.test(`tableMemory() takes a salt once, whatever number of threads add it (${kind})`, async () => {
    const buffer = new SharedArrayBuffer(TABLE_BYTES);
    const memory = new Uint8Array(buffer);
    formatTable(memory);
    const code = `
    import { tableMemory } from ${
      JSON.stringify(new URL("./salt_table.ts", import.meta.url).href)
    };
    self.onmessage = ({ data: { buffer, masterKey, count, kind } }) => {
      const owner = { masterKey, isProven: true, side: "server" };
      const salts = tableMemory(new Uint8Array(buffer)).forKey(owner)[kind];
      const salt = new Uint8Array(16);
      const view = new DataView(salt.buffer);
      let taken = 0;
      const gate = new Int32Array(buffer, 4000, 1);
      Atomics.add(gate, 0, 1);
      while (Atomics.load(gate, 0) < 2);
      for (let n = 0; n < count; n++) {
        view.setUint32(0, n);
        if (salts.add(salt)) taken++;
      }
      self.postMessage(taken);
    };`;
    const url = URL.createObjectURL(
      new Blob([code], { type: "text/javascript" }),
    );
    const count = 200_000;
    const workers = [1, 2].map(() => new Worker(url, { type: "module" }));
    try {
      const taken = await Promise.all(workers.map((worker) => {
        const { promise, resolve } = Promise.withResolvers<number>();
        worker.onmessage = ({ data }: MessageEvent<number>): void =>
          resolve(data);
        const { masterKey } = OWNER;
        worker.postMessage({ buffer, masterKey, count, kind });
        return promise;
      }));
      assertEquals(taken[0]! + taken[1]!, count);
    } finally {
      for (const worker of workers) worker.terminate();
      URL.revokeObjectURL(url);
    }
  });
}
