/**
 * The load of the end-to-end benchmark: a worker, so that it shares no thread
 * with anybody, which is the target or the application.
 *
 * The first byte of a connection to the target says what it wants: `u`, bytes
 * are swallowed and each MiB is acknowledged by one byte; `d`, bytes without
 * end; `e`, its bytes back.
 *
 * @module
 */

import { associate, connect, readExactly, writeAll } from "./socks5.ts";

/** What a load worker is asked to do. */
export type LoadCommand =
  | { readonly kind: "target" }
  | {
    readonly kind: "up" | "down" | "connections" | "trips" | "datagrams";
    readonly proxy: number;
    readonly target: number;
    readonly seconds: number;
  }
  /** Opens connections and keeps them; all are closed by `close`. */
  | {
    readonly kind: "open";
    readonly proxy: number;
    readonly target: number;
    readonly count: number;
  }
  | { readonly kind: "close" };

/** What it answers. */
export interface LoadResult {
  /** Bytes, connections, round trips or datagrams; or the target's port. */
  readonly count: number;
  /** Milliseconds that they took. */
  readonly elapsed: number;
  /** Microseconds of each round trip, sorted; empty for other work. */
  readonly latencies: Float64Array;
  /** Why it failed. */
  readonly error?: string;
}

/** The global scope of a worker, as far as it is used. */
interface WorkerScope {
  postMessage(result: LoadResult): void;
  onmessage: ((event: MessageEvent<LoadCommand>) => void) | null;
}

type Work = Extract<LoadCommand, { seconds: number }>;

const scope = globalThis as unknown as WorkerScope;
const MIB = 1024 * 1024;
/** Bytes of a read or write of a bulk transfer. */
const BUFFER = 256 * 1024;
/** Bytes of one message of a round trip. */
const MESSAGE = 64;
/** Bytes of a UDP payload: the least of a first QUIC packet (RFC 9000, 14.1). */
const PACKET = 1200;
const CONNECTIONS_AT_ONCE = 16;
const TRIPS_AT_ONCE = 32;
/** UDP clients, and datagrams of each that are on their way at once. */
const CLIENTS = 4;
const WINDOW = 16;
/**
 * Milliseconds after which datagrams that did not come back are given up: on
 * loopback an echo takes less than one, so they are lost.
 */
const LOST_AFTER = 200;

const kept: Deno.TcpConn[] = [];

scope.onmessage = ({ data }): void => {
  const failed = (error: unknown): LoadResult => ({
    count: 0,
    elapsed: 0,
    latencies: new Float64Array(),
    error: String(error),
  });
  run(data).catch(failed).then((result) => scope.postMessage(result));
};

async function run(command: LoadCommand): Promise<LoadResult> {
  const start = performance.now();
  let count = 0;
  const latencies: number[] = [];
  switch (command.kind) {
    case "target":
      count = serve();
      break;
    case "open":
      while (count < command.count) {
        const size = Math.min(CONNECTIONS_AT_ONCE, command.count - count);
        kept.push(...await many(size, () => exchange(command)));
        count += size;
      }
      break;
    case "close":
      for (const conn of kept.splice(0)) conn.close();
      break;
    case "up":
    case "down":
      count = await bulk(command);
      break;
    case "connections":
      await many(CONNECTIONS_AT_ONCE, async () => {
        while (performance.now() - start < command.seconds * 1000) {
          (await exchange(command)).close();
          count++;
        }
      });
      break;
    case "trips":
      await many(TRIPS_AT_ONCE, () => trips(command, latencies));
      count = latencies.length;
      break;
    case "datagrams":
      for (const done of await many(CLIENTS, () => datagrams(command))) {
        count += done;
      }
      break;
    default:
      command satisfies never;
  }
  return {
    count,
    elapsed: performance.now() - start,
    latencies: Float64Array.from(latencies).sort(),
  };
}

function many<T>(count: number, work: () => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, work));
}

function ask(kind: string, length = 1): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).fill(kind.charCodeAt(0));
}

/** A new connection that has carried one byte there and back. */
async function exchange(
  { proxy, target }: { readonly proxy: number; readonly target: number },
): Promise<Deno.TcpConn> {
  const conn = await connect(proxy, target);
  await writeAll(conn, ask("e", 2));
  await readExactly(conn, 1);
  return conn;
}

/** One stream; an upload counts what has arrived, not what was sent. */
async function bulk({ kind, proxy, target, seconds }: Work): Promise<number> {
  const conn = await connect(proxy, target);
  const end = performance.now() + seconds * 1000;
  let ended = false;
  await writeAll(conn, ask(kind === "up" ? "u" : "d"));
  const send = async (): Promise<void> => {
    const data = new Uint8Array(BUFFER);
    try {
      while (!ended) await writeAll(conn, data);
    } catch (error) {
      if (!ended) throw error;
    }
  };
  const sending = kind === "up" ? send() : Promise.resolve();
  const buffer = new Uint8Array(BUFFER);
  let count = 0;
  while (performance.now() < end) {
    const length = await conn.read(buffer);
    if (length === null) throw new Error("Cannot go on: the stream has ended");
    count += kind === "up" ? length * MIB : length;
  }
  ended = true;
  conn.close();
  await sending;
  return count;
}

async function trips(work: Work, latencies: number[]): Promise<void> {
  const conn = await exchange(work);
  const message = new Uint8Array(MESSAGE);
  const end = performance.now() + work.seconds * 1000;
  let start = performance.now();
  while (start < end) {
    await writeAll(conn, message);
    await readExactly(conn, MESSAGE);
    const now = performance.now();
    latencies.push((now - start) * 1000);
    start = now;
  }
  conn.close();
}

async function datagrams({ proxy, target, seconds }: Work): Promise<number> {
  using association = await associate(proxy, target);
  const packet = association.wrap(new Uint8Array(PACKET));
  let count = 0;
  let seen = 0;
  const fill = async (): Promise<void> => {
    for (let i = 0; i < WINDOW; i++) await association.send(packet);
  };
  const refill = setInterval(() => {
    if (count === seen) fill().catch(() => {});
    seen = count;
  }, LOST_AFTER);
  let ended = false;
  const echo = async (): Promise<void> => {
    try {
      while (!ended) {
        if (await association.receive() === packet.length) count++;
        await association.send(packet);
      }
    } catch (error) {
      if (!ended) throw error;
    }
  };
  await fill();
  const echoing = echo();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  ended = true;
  clearInterval(refill);
  association[Symbol.dispose]();
  await echoing;
  return count;
}

/** TCP and UDP on one port, for as long as the worker lives. */
function serve(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port,
  });
  const accept = async (): Promise<void> => {
    for await (const conn of listener) answer(conn).catch(() => {});
  };
  const echo = async (): Promise<void> => {
    const buffer = new Uint8Array(2048);
    while (true) {
      const [packet, from] = await socket.receive(buffer);
      await socket.send(packet, from).catch(() => 0);
    }
  };
  accept();
  echo();
  return port;
}

/** Whoever measures ends the connection, mostly in the middle of something. */
async function answer(conn: Deno.TcpConn): Promise<void> {
  try {
    const kind = String.fromCharCode((await readExactly(conn, 1))[0]!);
    // A small buffer for a connection that only echoes: there are thousands.
    const buffer = new Uint8Array(kind === "e" ? 256 : BUFFER);
    let total = 0;
    while (true) {
      if (kind === "d") {
        await writeAll(conn, buffer);
        continue;
      }
      const length = await conn.read(buffer);
      if (length === null) return;
      if (kind === "e") await writeAll(conn, buffer.subarray(0, length));
      const before = Math.floor(total / MIB);
      total += length;
      const whole = Math.floor(total / MIB) - before;
      if (kind === "u" && whole > 0) await writeAll(conn, ask("a", whole));
    }
  } finally {
    conn.close();
  }
}
