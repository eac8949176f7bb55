/**
 * The clients of a soak: each does one thing through a pair of roles, again
 * and again, until it is told to stop.
 *
 * @module
 */

import {
  type Pair,
  randomOf,
  readExactly,
  seededBytes,
  sha256,
  socks5Connect,
  Socks5Refused,
  socks5UdpAssociate,
  type Target,
  text,
  withTimeout,
  writeAll,
} from "../support/mod.ts";
import { encodeAll } from "../../shadowsocks/fakes.ts";
import type { Edition } from "../../shadowsocks/mod.ts";
import type { SoakTargets } from "./_targets.ts";

const MEGABYTE = 1_000_000;
/** Bytes of a long transfer. */
const LONG = 20 * MEGABYTE;
/** Bytes that a reader takes before it stops. */
const TAKEN = 8 * 1024 * 1024;
/** Milliseconds for which it takes no more. */
const STALL = 15_000;
/** The longest datagram that clients send. */
const DATAGRAM = 1400;

/** What a soak counts. */
export interface Counts {
  /** Uses of each kind that went as they must, by the kind's name. */
  readonly done: Map<string, number>;
  /** What did not, in words. */
  readonly wrong: string[];
  /** Milliseconds of the short connections since the last look. */
  readonly latencies: number[];
}

/** What every client is given. */
export interface Surroundings {
  /** The roles. */
  readonly pair: Pair;
  /** The server's method and password, to make flights with. */
  readonly edition: Edition;
  /** Where clients go. */
  readonly targets: SoakTargets;
  /** What is counted. */
  readonly counts: Counts;
}

/** A kind of client. */
export interface Client {
  /** Its name in the counts. */
  readonly name: string;
  /** How many of it there are at once. */
  readonly count: number;
  /** Milliseconds between two uses. */
  readonly pause: number;
  /**
   * Does its thing once.
   *
   * @param surroundings Where.
   * @param random Gives numbers.
   * @throws {Error} If it did not go as it must.
   */
  readonly use: (
    surroundings: Surroundings,
    random: (limit: number) => number,
  ) => Promise<void>;
}

/** Every kind of client of a soak. */
export const CLIENTS: readonly Client[] = [
  { name: "short", count: 4, pause: 40, use: short },
  { name: "long", count: 1, pause: 2_000, use: long },
  { name: "stalled", count: 3, pause: 500, use: stalled },
  { name: "aborted", count: 1, pause: 100, use: aborted },
  { name: "reset", count: 1, pause: 100, use: reset },
  { name: "datagrams", count: 2, pause: 200, use: datagrams },
  { name: "dead name", count: 1, pause: 200, use: deadName },
  { name: "refused", count: 1, pause: 200, use: refused },
  { name: "wrong key", count: 1, pause: 200, use: wrongKey },
  { name: "replay", count: 1, pause: 300, use: replay },
];

async function short(
  { pair, targets, counts }: Surroundings,
  random: (limit: number) => number,
): Promise<void> {
  const bytes = seededBytes(1 + random(4000), random(1e6));
  const start = performance.now();
  using conn = await socks5Connect(pair.local.port, targets.echo);
  await writeAll(conn, bytes);
  compare(await readExactly(conn, bytes.length), bytes);
  counts.latencies.push(performance.now() - start);
}

async function long(
  { pair, targets }: Surroundings,
  random: (limit: number) => number,
): Promise<void> {
  const bytes = seededBytes(LONG, random(1e6));
  using conn = await socks5Connect(pair.local.port, targets.sink);
  await writeAll(conn, bytes);
  await conn.closeWrite();
  const sum = text(await readExactly(conn, 64));
  if (sum !== await sha256(bytes)) throw new Error("other bytes came");
}

async function stalled({ pair, targets }: Surroundings): Promise<void> {
  using conn = await socks5Connect(pair.local.port, targets.source);
  await readExactly(conn, TAKEN);
  await pauseFor(STALL);
}

/** The client leaves while bytes are under way to it, which is a reset. */
async function aborted(
  { pair, targets }: Surroundings,
  random: (limit: number) => number,
): Promise<void> {
  using conn = await socks5Connect(pair.local.port, targets.source);
  await readExactly(conn, 1 + random(200_000));
}

/** The target leaves while bytes are under way to it. */
async function reset({ pair, targets }: Surroundings): Promise<void> {
  using conn = await socks5Connect(pair.local.port, targets.rude);
  await ends(conn, async () => {
    const block = new Uint8Array(64 * 1024);
    for (;;) await writeAll(conn, block);
  });
}

async function datagrams(
  { pair, targets }: Surroundings,
  random: (limit: number) => number,
): Promise<void> {
  using association = await socks5UdpAssociate(pair.local.port);
  for (let i = 0; i < 20; i++) {
    const payload = seededBytes(1 + random(DATAGRAM), random(1e6));
    await association.send(targets.datagrams, payload);
    const answer = await association.receive();
    compare(answer.payload, payload);
  }
}

async function deadName(
  { pair }: Surroundings,
  random: (limit: number) => number,
): Promise<void> {
  await isRefused(pair, { hostname: `dead-${random(1e9)}.test`, port: 80 });
}

async function refused({ pair }: Surroundings): Promise<void> {
  // Nobody listens on port 1.
  await isRefused(pair, { hostname: "127.0.0.1", port: 1 });
}

async function wrongKey(
  { pair }: Surroundings,
  random: (limit: number) => number,
): Promise<void> {
  using conn = await toServer(pair);
  await writeAll(conn, seededBytes(50 + random(2000), random(1e6)));
  await pauseFor(random(1000));
}

/** The second of two equal flights is not answered. */
async function replay(
  { pair, edition, targets }: Surroundings,
  random: (limit: number) => number,
): Promise<void> {
  const bytes = Uint8Array.of(127, 0, 0, 1);
  const { port } = targets.echo;
  using stream = edition.newClientStream({ bytes, port });
  const flight = encodeAll(stream, seededBytes(100, random(1e6)));
  using first = await toServer(pair);
  await writeAll(first, flight);
  await readExactly(first, 32);
  using second = await toServer(pair);
  await writeAll(second, flight);
  await second.closeWrite();
  await ends(second, async () => {
    if (await second.read(new Uint8Array(1)) !== null) {
      throw new Error("a replay was answered");
    }
    throw new Deno.errors.ConnectionReset();
  });
}

function toServer({ server }: Pair): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port: server.port });
}

/** A target that cannot be had: the proxy says so, or ends the connection. */
async function isRefused(pair: Pair, target: Target): Promise<void> {
  try {
    using conn = await socks5Connect(pair.local.port, target);
    await ends(conn, async () => {
      await writeAll(conn, Uint8Array.of(1));
      await readExactly(conn, 1);
    });
  } catch (error) {
    if (!(error instanceof Socks5Refused)) throw error;
  }
}

/** Does something with a connection that must fail, since that ends. */
async function ends(
  conn: Deno.TcpConn,
  use: () => Promise<void>,
): Promise<void> {
  try {
    await use();
  } catch (error) {
    if (
      error instanceof Deno.errors.ConnectionReset ||
      error instanceof Deno.errors.BrokenPipe ||
      error instanceof Error && error.message.includes("the stream ended")
    ) return;
    throw error;
  }
  throw new Error(`a connection from ${conn.localAddr} did not end`);
}

function compare(got: Uint8Array, wanted: Uint8Array): void {
  if (
    got.length !== wanted.length || got.some((byte, i) => byte !== wanted[i])
  ) {
    throw new Error("other bytes came");
  }
}

/**
 * Waits.
 *
 * @param milliseconds How long.
 */
export function pauseFor(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Clients that run until they are stopped. */
export class SoakClients implements AsyncDisposable {
  readonly #surroundings: Surroundings;
  readonly #running: Promise<void>[] = [];
  #isStopped = false;

  /**
   * Starts all clients.
   *
   * @param surroundings Where.
   * @param seed Makes what they do the same again.
   */
  constructor(surroundings: Surroundings, seed: number) {
    this.#surroundings = surroundings;
    for (const client of CLIENTS) {
      for (let i = 0; i < client.count; i++) {
        this.#running.push(this.#run(client, randomOf(seed++)));
      }
    }
  }

  /** Lets each end what it has begun. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#running);
  }

  async #run(
    client: Client,
    random: (limit: number) => number,
  ): Promise<void> {
    const { name, use, pause } = client;
    const { done, wrong } = this.#surroundings.counts;
    while (!this.#isStopped) {
      try {
        await withTimeout(use(this.#surroundings, random), name, 60_000);
        done.set(name, (done.get(name) ?? 0) + 1);
      } catch (error) {
        wrong.push(`${name}: ${error}`);
      }
      await pauseFor(pause);
    }
  }
}
