/**
 * Whole connections: application, local, server and target, with this program
 * and with every other found, one after the other in the same run.
 *
 * @module
 */

import type { LoadCommand, LoadResult } from "./load.ts";
import { type End, findPeers, type Peer } from "./peers.ts";
import { BenchProcess, delay, freePort } from "./process.ts";
import type { Column, Row, Table } from "./table.ts";

/** Options of {@linkcode benchRelay}. */
export interface RelayBenchOptions {
  /** The methods: bulk with each, the other workloads with the first. */
  readonly methods: readonly string[];
  /** Whether it only has to run. */
  readonly brief: boolean;
  /** How long each workload runs. */
  readonly seconds: number;
  /** Told what is measured now. */
  readonly progress: (text: string) => void;
}

/** What {@linkcode benchRelay} has found. */
export interface RelayBenchResult {
  /** One per workload and method. */
  readonly tables: Table[];
  /** Name and version of everybody measured. */
  readonly contestants: string[];
}

/** A workload of a given time. */
interface Workload {
  readonly kind: "up" | "down" | "connections" | "trips" | "datagrams";
  readonly title: string;
  /** The unit of the rate, and how many of what is counted make one. */
  readonly rate: readonly [string, number];
  /** The unit of the CPU cost, and how it comes from seconds for each. */
  readonly cost: readonly [string, number];
}

const BULK: readonly Workload[] = [
  { kind: "up", title: "Bulk up", rate: ["MB/s", 1e6], cost: ["s/GB", 1e9] },
  {
    kind: "down",
    title: "Bulk down",
    rate: ["MB/s", 1e6],
    cost: ["s/GB", 1e9],
  },
];
const OTHERS: readonly Workload[] = [
  {
    kind: "connections",
    title: "New connections, 16 at once",
    rate: ["1/s", 1],
    cost: ["µs each", 1e6],
  },
  {
    kind: "trips",
    title: "64-byte round trips, 32 connections",
    rate: ["1/s", 1],
    cost: ["µs each", 1e6],
  },
  {
    kind: "datagrams",
    title: "UDP echo, 1,200 bytes",
    rate: ["1/s", 1],
    cost: ["µs each", 1e6],
  },
];
const IDLE = "Idle connections";
/** How many, after as many as {@linkcode WARM_UP} that are not counted. */
const IDLE_COUNT = 1000;
const IDLE_COUNT_BRIEF = 100;
const WARM_UP = 50;
/** Milliseconds in which a program gives freed memory back to the system. */
const SETTLE = 1000;

/**
 * Measures everybody with every workload.
 *
 * @param options What to measure.
 * @returns The tables and the names.
 * @throws {Error} If this program itself fails.
 */
export async function benchRelay(
  options: RelayBenchOptions,
): Promise<RelayBenchResult> {
  const peers = await findPeers();
  using target = new Load();
  using application = new Load();
  const { count: targetPort } = await target.run({ kind: "target" });
  const tables: Table[] = [];
  for (const [i, method] of options.methods.entries()) {
    for (const peer of peers) {
      const pair = new PairBench(peer, {
        ...options,
        method,
        application,
        targetPort,
        tables,
      });
      try {
        await pair.run(i === 0 ? [...BULK, ...OTHERS] : BULK, i === 0);
      } catch (error) {
        if (peer.ours) throw error;
        options.progress(
          `relay: ${peer.name} is left out with ${method}: ${error}`,
        );
      }
    }
  }
  return { tables, contestants: peers.map(({ version }) => version) };
}

/** A load worker. */
class Load implements Disposable {
  readonly #worker = new Worker(import.meta.resolve("./load.ts"), {
    type: "module",
  });

  async run(command: LoadCommand): Promise<LoadResult> {
    const { promise, resolve, reject } = Promise.withResolvers<LoadResult>();
    this.#worker.onmessage = ({ data }): void => resolve(data);
    this.#worker.onerror = ({ message }): void => reject(new Error(message));
    this.#worker.postMessage(command);
    const result = await promise;
    if (result.error !== undefined) throw new Error(result.error);
    return result;
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

/** What a {@linkcode PairBench} works with. */
interface PairOptions extends RelayBenchOptions {
  readonly method: string;
  readonly application: Load;
  readonly targetPort: number;
  /** Where its rows go. */
  readonly tables: Table[];
}

/** The two processes of a pair, local first. */
type Ends = readonly [BenchProcess, BenchProcess];

/** One implementation with one method. */
class PairBench {
  readonly #peer: Peer;
  readonly #options: PairOptions;
  readonly #localPort = freePort();
  readonly #serverPort = freePort();

  constructor(peer: Peer, options: PairOptions) {
    this.#peer = peer;
    this.#options = options;
  }

  async run(workloads: readonly Workload[], idle: boolean): Promise<void> {
    const folder = await Deno.makeTempDir();
    try {
      await using server = await this.#start("server", folder);
      await using local = await this.#start("local", folder);
      for (const workload of workloads) {
        await this.#measure(workload, [local, server]);
      }
      if (idle) await this.#measureIdle([local, server]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }

  async #start(end: End, folder: string): Promise<BenchProcess> {
    const { method } = this.#options;
    const [localPort, serverPort] = [this.#localPort, this.#serverPort];
    const config = this.#peer.config(end, { method, localPort, serverPort });
    const file = `${folder}/${end}.json`;
    await Deno.writeTextFile(file, JSON.stringify(config));
    const started = new BenchProcess(this.#peer.command(end, file));
    try {
      await started.listening(end === "local" ? localPort : serverPort);
      return started;
    } catch (error) {
      await started[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #measure(workload: Workload, ends: Ends): Promise<void> {
    const { application, targetPort: target, seconds } = this.#options;
    const title = `${workload.title}, ${this.#options.method}`;
    this.#options.progress(`relay: ${this.#peer.name}: ${title}`);
    const before = await Promise.all(ends.map((end) => end.cpu()));
    const { count, elapsed, latencies } = await application.run({
      kind: workload.kind,
      proxy: this.#localPort,
      target,
      seconds,
    });
    const after = await Promise.all(ends.map((end) => end.cpu()));
    if (count === 0) {
      throw new Error(`Cannot measure ${title}: nothing arrived`);
    }
    const [rateUnit, perRate] = workload.rate;
    const [costUnit, perCost] = workload.cost;
    const costs = after.map((cpu, i) =>
      cpu === undefined ? undefined : (cpu - before[i]!) * perCost / count
    );
    const columns: Column[] = [
      { name: "rate", unit: rateUnit, better: "higher", chart: true },
      { name: "CPU of local", unit: costUnit, better: "lower" },
      { name: "CPU of server", unit: costUnit, better: "lower" },
      { name: "CPU of both", unit: costUnit, better: "lower", chart: true },
    ];
    const values = [count * 1000 / elapsed / perRate, ...costs, sum(costs)];
    if (workload.kind === "trips") {
      for (const part of [0.5, 0.99]) {
        columns.push({ name: `p${part * 100}`, unit: "µs", better: "lower" });
        values.push(latencies[Math.floor(latencies.length * part)]);
      }
    }
    this.#add(title, columns, values);
  }

  async #measureIdle(ends: Ends): Promise<void> {
    const { application, targetPort: target, brief, method } = this.#options;
    const proxy = this.#localPort;
    const count = brief ? IDLE_COUNT_BRIEF : IDLE_COUNT;
    this.#options.progress(`relay: ${this.#peer.name}: ${IDLE}`);
    const look = async (): Promise<(number | undefined)[]> => {
      await delay(brief ? SETTLE / 4 : SETTLE);
      return await Promise.all(ends.map((end) => end.resident()));
    };
    try {
      await application.run({ kind: "open", proxy, target, count: WARM_UP });
      const before = await look();
      await application.run({ kind: "open", proxy, target, count });
      const after = await look();
      this.#add(`${IDLE}, ${method}`, [
        { name: "local", unit: "KiB each", better: "lower", chart: true },
        { name: "server", unit: "KiB each", better: "lower", chart: true },
        { name: "local, in all", unit: "MiB", better: "lower" },
        { name: "server, in all", unit: "MiB", better: "lower" },
      ], [
        ...after.map((now, i) =>
          now === undefined ? undefined : (now - before[i]!) / count
        ),
        ...after.map((now) => now === undefined ? undefined : now / 1024),
      ]);
    } finally {
      await application.run({ kind: "close" });
    }
  }

  #add(
    title: string,
    columns: readonly Column[],
    values: Row["values"],
  ): void {
    const { tables } = this.#options;
    let table = tables.find((known) => known.title === title);
    if (table === undefined) tables.push(table = { title, columns, rows: [] });
    const { name, ours } = this.#peer;
    table.rows.push({ name, ours, values });
  }
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  return values.reduce(
    (a, b) => a === undefined || b === undefined ? undefined : a + b,
    0,
  );
}
