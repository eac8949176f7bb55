/**
 * Measures what a tunnel costs each of the two processes whose application
 * has stopped to read in the middle of a download, and whether it comes back.
 *
 * Usage: `deno run -A --unstable-net tests/measure/stalled_memory.ts [count]
 * [epoll|deno] [up|down]`; Linux only, for the resident set is read from
 * `/proc`. With `SS_EXECUTABLE` the executable is measured instead of the
 * source.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a script talks to its terminal

import {
  type Pair,
  socks5Connect,
  spawnPair,
  TcpTarget,
} from "../support/mod.ts";

/** Bytes that are read before the reader stops. */
const TAKEN = 8 * 1024 * 1024;
/** Milliseconds in which everything comes to a standstill. */
const SETTLE = 3_000;
/** Milliseconds after which the memory is to be back. */
const BACK = 30_000;

async function residentKiB(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
}

async function residentOf(pair: Pair): Promise<readonly number[]> {
  return [
    await residentKiB(pair.local.program.pid),
    await residentKiB(pair.server.program.pid),
  ];
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Takes so many bytes, then nothing more. */
async function take(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(256 * 1024);
  for (let left = TAKEN; left > 0;) {
    left -= await conn.read(buffer) ?? left;
  }
}

/** Sends without end. */
async function give(conn: Deno.TcpConn): Promise<void> {
  const block = new Uint8Array(256 * 1024);
  try {
    for (;;) await conn.write(block);
  } catch {
    // The connection is over.
  }
}

/** Opens tunnels, one after the other, that stall; closes them when told. */
async function stall(
  pair: Pair,
  count: number,
  up: boolean,
): Promise<() => void> {
  const conns: Deno.TcpConn[] = [];
  const held: (() => void)[] = [];
  let stalled = Promise.withResolvers<void>();
  const target = new TcpTarget(async (conn) => {
    if (!up) return await give(conn);
    await take(conn);
    stalled.resolve();
    await new Promise<void>((resolve) => held.push(resolve));
  });
  for (let i = 0; i < count; i++) {
    stalled = Promise.withResolvers();
    const conn = await socks5Connect(pair.local.port, target);
    conns.push(conn);
    if (up) {
      give(conn);
      await stalled.promise;
    } else await take(conn);
  }
  return () => {
    for (const conn of conns) conn.close();
    for (const release of held) release();
    target[Symbol.asyncDispose]();
  };
}

async function measure(): Promise<void> {
  const count = Number(Deno.args[0] ?? 100);
  const event_loop = Deno.args[1] ?? "epoll";
  const up = Deno.args[2] === "up";
  await using pair = await spawnPair({ both: { event_loop } });
  (await stall(pair, 5, up))();
  await pause(SETTLE);
  const before = await residentOf(pair);
  const started = performance.now();
  const end = await stall(pair, count, up);
  const megabytes = count * TAKEN / 1e6;
  const seconds = (performance.now() - started) / 1000;
  await pause(SETTLE);
  const during = await residentOf(pair);
  end();
  await pause(BACK);
  const after = await residentOf(pair);
  console.log(`${(megabytes / seconds).toFixed(0)} MB/s`);
  for (const [i, name] of ["sslocal", "ssserver"].entries()) {
    const each = (during[i]! - before[i]!) / count;
    const back = 100 * after[i]! / before[i]! - 100;
    console.log(
      `${name}: ${each.toFixed(0)} KiB for each of ${count} stalled tunnels; ` +
        `${(before[i]! / 1024).toFixed(0)} MiB before, ` +
        `${(during[i]! / 1024).toFixed(0)} during, ` +
        `${(after[i]! / 1024).toFixed(0)} after ${BACK / 1000} s ` +
        `(${back.toFixed(0)} %)`,
    );
  }
}

if (import.meta.main) {
  await measure();
  // The roles have ended; reads that nobody waits for may not have.
  Deno.exit(0);
}
