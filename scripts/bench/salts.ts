/**
 * What the memory of salts costs: an insert of a hash into it, all that is done
 * about a request, its size, and opening its file when that is full.
 *
 * @module
 */

import {
  openSaltFile,
  saltMemory,
  tableBytes,
} from "../../process/salts/mod.ts";
import {
  GrowingSaltSet,
  ReplayMemory,
  type SaltFilter,
  type SaltSet,
} from "../../shadowsocks/mod.ts";
import { connectionSet } from "../../shadowsocks/salt_table.ts";
import type { Row, Table } from "./table.ts";

/** Options of {@linkcode benchSalts}. */
export interface SaltsBenchOptions {
  /** Told what is measured now. */
  readonly progress: (text: string) => void;
}

const SALTS = 1_000_000;
const ROUNDS = 3;
/** The salt that is added last. */
const LAST = ROUNDS * SALTS - 1;
const MEGABYTE = 1_000_000;

/**
 * Measures the memory in a file, and that of one loop.
 *
 * @param options Who is told.
 * @returns One table.
 * @throws {Error} If a salt that was added is not known.
 */
export async function benchSalts(
  options: SaltsBenchOptions,
): Promise<Table[]> {
  options.progress(`the memory of ${SALTS} salts`);
  const folder = await Deno.makeTempDir({ prefix: "ss-bench-" });
  try {
    const rows = [await measureFile(folder), measureMemory()];
    return [{
      title: `Memory of salts, ${SALTS.toLocaleString("en-US")} of 32 bytes`,
      columns: [
        { name: "insert", unit: "ns", better: "lower", chart: true },
        { name: "request", unit: "ns", better: "lower" },
        { name: "size", unit: "MB", better: "lower" },
        { name: "start with a full file", unit: "ms", better: "lower" },
      ],
      rows,
    }];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function measureFile(folder: string): Promise<Row> {
  using salts = openSaltFile(folder);
  if (salts === undefined) throw new Error("Cannot measure salts: no file");
  const insert = insertCost(connectionSet(tableBytes(salts.table)));
  const request = requestCost(filterOf(saltMemory(salts.table)));
  const { size } = await Deno.stat(`${folder}/replay`);
  const start = performance.now();
  using again = openSaltFile(folder);
  if (again === undefined) throw new Error("Cannot measure salts: no file");
  if (filterOf(saltMemory(again.table)).add(saltOf(LAST))) {
    throw new Error("Cannot measure salts: one was forgotten");
  }
  const opened = performance.now() - start;
  return {
    name: "in state_dir",
    values: [insert, request, size / MEGABYTE, opened],
    ours: true,
  };
}

function measureMemory(): Row {
  const filter = filterOf(ReplayMemory.inMemory());
  return {
    name: "in memory",
    values: [
      insertCost(new GrowingSaltSet(SALTS)),
      requestCost(filter),
      undefined,
      undefined,
    ],
    ours: true,
  };
}

function filterOf(memory: ReplayMemory): SaltFilter {
  const masterKey = new Uint8Array(32);
  return memory.forKey({ masterKey, isProven: true, side: "server" }).streams;
}

/** Nanoseconds of an insert of a hash, when it has been full for long. */
function insertCost(set: SaltSet): number {
  let word = 1;
  const start = performance.now();
  for (let n = 0; n < ROUNDS * SALTS; n++) {
    // Lehmer's generator with the numbers of Numerical Recipes: any other does.
    word = Math.imul(word, 1664525) + 1013904223 | 0;
    set.add(word, Math.imul(word, 0x9e3779b1));
  }
  return (performance.now() - start) * 1e6 / (ROUNDS * SALTS);
}

/** Nanoseconds for the hash, the look at our own salts, and the insert. */
function requestCost(filter: SaltFilter): number {
  const salt = saltOf(0);
  const words = new Uint32Array(salt.buffer);
  const start = performance.now();
  for (let n = 0; n <= LAST; n++) {
    words[0] = n;
    filter.add(salt);
  }
  return (performance.now() - start) * 1e6 / (LAST + 1);
}

function saltOf(n: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(8);
  words[0] = n;
  return new Uint8Array(words.buffer);
}
