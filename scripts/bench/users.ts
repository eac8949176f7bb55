/**
 * What many users on one port cost: a stranger, whose bytes no key opens, a
 * client whose key was used from its address before, and the memory of a user.
 * Sockets are no part of it.
 *
 * The figures are made in a process of their own, `deno run scripts/bench/
 * users.ts METHOD…`, whose heap is collected before it is measured.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a script talks to its terminal

import { findMethod, openProviders, takesUsers } from "../../crypto/mod.ts";
import {
  type Edition,
  openEdition,
  PACKET_ROOM,
  type PacketBytes,
  ReplayMemory,
  type ServerPackets,
} from "../../shadowsocks/mod.ts";
import type { Row, Table } from "./table.ts";

/** Options of {@linkcode benchUsers}. */
export interface UsersBenchOptions {
  /** The methods; those without users are left out. */
  readonly methods: readonly string[];
  /** Told what is measured now. */
  readonly progress: (text: string) => void;
}

/** Users of a port; 0: a port with a password. */
const COUNTS = [0, 100, 1000];
/** Users of which one tells how much memory it takes. */
const MANY = 1000;
/** Requests that are made before they are measured. */
const REQUESTS = 2000;
/** The best of these counts, since others use the processor too. */
const ROUNDS = 20;
/** Tries of a round: enough for the clock, and done soon. */
const TRIES = 1000;
const FROM = "192.0.2.1";
const PAYLOAD = new Uint8Array(100);
const TARGET = { domain: "example.com", port: 443 };
/** `192.0.2.7:53`. */
const HEAD = Uint8Array.of(1, 192, 0, 2, 7, 0, 53);
const INPUT = new Uint8Array(65_536);
const OUTPUT = new Uint8Array(65_536);

/**
 * Measures ports with and without users.
 *
 * @param options What to measure, and who is told.
 * @returns One table; none if no method has users.
 * @throws {Error} If the process that measures fails.
 */
export async function benchUsers(
  { methods, progress }: UsersBenchOptions,
): Promise<Table[]> {
  const those = methods.filter((name) => {
    const method = findMethod(name);
    return method?.edition === "classic" && takesUsers(method);
  });
  if (those.length === 0) return [];
  progress(`users on one port: ${those.join(", ")}`);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--unstable-net",
      "--v8-flags=--expose-gc",
      new URL(import.meta.url).href,
      ...those,
    ],
  }).output();
  const text = new TextDecoder();
  if (code !== 0) {
    throw new Error(`Cannot measure users: ${text.decode(stderr)}`);
  }
  return [{
    title: "Users on one port",
    columns: [
      { name: "stranger", unit: "µs", better: "lower", chart: true },
      { name: "stranger's packet", unit: "µs", better: "lower" },
      { name: "connection", unit: "µs", better: "lower" },
      { name: "packet", unit: "µs", better: "lower" },
      { name: "memory", unit: "bytes/user", better: "lower" },
      { name: "start", unit: "ms", better: "lower" },
    ],
    rows: JSON.parse(text.decode(stdout)) as Row[],
  }];
}

async function measure(method: string, count: number): Promise<Row> {
  using providers = await openProviders();
  const replayMemory = ReplayMemory.inMemory();
  const users = Array.from({ length: count }, (_, n) => ({
    name: `user ${n}`,
    password: `password of ${n}`,
  }));
  const password = (n: number): string => `password of ${n}`;
  const open = (secret: string): Promise<Edition> =>
    openEdition({ method, password: secret }, { providers });
  // Each user comes once, so that all have what they need.
  const flights: Uint8Array[] = [];
  for (let n = 0; n < count; n++) {
    using client = await open(password(n));
    flights.push(flightOf(client));
  }
  using client = await open(password(0));
  const requests = Array.from({ length: REQUESTS }, () => flightOf(client));
  const sealed = Array.from({ length: REQUESTS }, () => packetOf(client));

  const before = await heldBytes();
  const start = performance.now();
  const own = { method, password: count === 0 ? password(0) : "", users };
  using server = await openEdition(own, { providers, replayMemory });
  const made = performance.now() - start;
  using packets = server.newServerPackets();
  for (const [n, flight] of flights.entries()) {
    serve(server, flight, `10.0.${n >> 8}.${n & 255}`);
  }
  // What a port has in any case is too much for a few to bear.
  const memory = count < MANY
    ? undefined
    : (await heldBytes() - before) / count;

  const times = Math.ceil(TRIES / Math.max(count, 1));
  const junk = crypto.getRandomValues(new Uint8Array(200));
  const strangers = microseconds(times, () => {
    using stream = server.newServerStream(undefined, "192.0.2.2");
    const { kind } = stream.receive(junk, OUTPUT);
    if (kind !== "refuse") throw new Error("Cannot measure: no stranger");
  });
  const packet = { bytes: junk, start: 0, end: junk.length, head: -1 };
  // The first ones only: for others there is a budget of time.
  const tried = microseconds(1, () => {
    if (!("refused" in packets.open(packet, OUTPUT, "192.0.2.2"))) {
      throw new Error("Cannot measure: no stranger");
    }
  });
  let next = 0;
  const connection = microseconds(REQUESTS / ROUNDS, () => {
    serve(server, requests[next++]!, FROM);
  });
  next = 0;
  const opened = microseconds(REQUESTS / ROUNDS, () => {
    openPacket(packets, sealed[next++]!);
  });
  return {
    name: `${method}, ${count === 0 ? "one password" : `${count} users`}`,
    values: [strangers, tried, connection, opened, memory, made],
    ours: true,
  };
}

/** The best of all rounds. */
function microseconds(times: number, work: () => void): number {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let n = 0; n < times; n++) work();
    best = Math.min(best, (performance.now() - start) * 1000 / times);
  }
  return best;
}

function flightOf(client: Edition): Uint8Array {
  using stream = client.newClientStream(TARGET);
  const length = stream.encode(PAYLOAD, OUTPUT, PAYLOAD.length);
  return OUTPUT.slice(0, length);
}

/** The request, and the head of an answer. */
function serve(server: Edition, flight: Uint8Array, from: string): void {
  using stream = server.newServerStream(undefined, from);
  INPUT.set(flight);
  const data = INPUT.subarray(0, flight.length);
  const { kind } = stream.receive(data, OUTPUT);
  if (kind !== "request") throw new Error("Cannot measure: not served");
  stream.encode(PAYLOAD, OUTPUT, PAYLOAD.length);
}

function packetOf(client: Edition): Uint8Array {
  using packets = client.newClientPackets();
  const bytes = new Uint8Array(PACKET_ROOM + PAYLOAD.length);
  const head = PACKET_ROOM - HEAD.length;
  bytes.set(HEAD, head);
  const packet = { bytes, head, start: PACKET_ROOM, end: bytes.length };
  return OUTPUT.slice(0, packets.seal(packet, OUTPUT));
}

function openPacket(packets: ServerPackets, sealed: Uint8Array): void {
  INPUT.set(sealed);
  const packet: PacketBytes = {
    bytes: INPUT,
    start: 0,
    end: sealed.length,
    head: -1,
  };
  if ("refused" in packets.open(packet, OUTPUT, FROM)) {
    throw new Error("Cannot measure: not served");
  }
}

/** Bytes on the heap and in buffers, after what nobody holds is collected. */
async function heldBytes(): Promise<number> {
  const { gc } = globalThis as { readonly gc?: () => void };
  // Buffers are given back after a collection that has found them unused.
  for (let n = 0; n < 3; n++) {
    gc?.();
    await new Promise((resolve) => setTimeout(resolve));
  }
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

if (import.meta.main) {
  const rows: Row[] = [];
  for (const method of Deno.args) {
    for (const count of COUNTS) rows.push(await measure(method, count));
  }
  console.log(JSON.stringify(rows));
}
