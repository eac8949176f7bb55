/**
 * What is idle and what is not: transfers that move slowly go on for longer
 * than any timeout, and what does not move ends in time.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  echoTarget,
  type Pair,
  readExactly,
  readUntilClosed,
  socks5Connect,
  spawnPair,
  TcpTarget,
  withTimeout,
  writeAll,
} from "../support/mod.ts";

const POLLERS = Deno.build.os === "linux" ? ["epoll", "deno"] : ["deno"];
/** Idle seconds after which connections end. */
const TIMEOUT = 3;
/** Longer than the ten seconds between two looks at longer timeouts. */
const SECONDS = 13;
/** Bytes that a slow reader takes a second. */
const RATE = 1_600_000;
/** How often it reads in a second. */
const READS = 20;

for (const event_loop of POLLERS) {
  Deno.test(`both roles keep what moves and end what is idle over ${event_loop}, with a timeout of ${TIMEOUT} s`, async () => {
    await using pair = await spawnPair({
      both: { event_loop, timeout: TIMEOUT },
    });
    const results = await Promise.allSettled([
      echoes(pair),
      downloads(pair),
      uploads(pair),
      isEnded(pair, event_loop),
    ]);
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  });
}

/** An echo every second. */
async function echoes(pair: Pair): Promise<void> {
  await using target = echoTarget();
  using conn = await socks5Connect(pair.local.port, target);
  for (let i = 0; i < SECONDS; i++) {
    await writeAll(conn, Uint8Array.of(i));
    assertEquals(await readExactly(conn, 1), Uint8Array.of(i));
    await pause(1000);
  }
}

/** The application takes the bytes slowly. */
async function downloads(pair: Pair): Promise<void> {
  await using target = new TcpTarget(async (conn) => {
    await writeAll(conn, new Uint8Array(RATE * SECONDS));
    await conn.closeWrite();
  });
  using conn = await socks5Connect(pair.local.port, target);
  await takeSlowly(conn);
}

/** The target takes the bytes slowly. */
async function uploads(pair: Pair): Promise<void> {
  const taken = Promise.withResolvers<void>();
  await using target = new TcpTarget((conn) => {
    const done = takeSlowly(conn);
    done.then(taken.resolve, taken.reject);
    return done.catch(() => {});
  });
  using conn = await socks5Connect(pair.local.port, target);
  await writeAll(conn, new Uint8Array(RATE * SECONDS));
  await conn.closeWrite();
  await taken.promise;
}

/** Nothing moves. */
async function isEnded(pair: Pair, poller: string): Promise<void> {
  await using target = echoTarget();
  using conn = await socks5Connect(pair.local.port, target);
  await writeAll(conn, Uint8Array.of(1));
  await readExactly(conn, 1);
  const started = performance.now();
  const { reset } = await withTimeout(readUntilClosed(conn), "the end");
  const seconds = (performance.now() - started) / 1000;
  assert(seconds >= TIMEOUT - 0.1, `it ended after ${seconds} s`);
  assert(seconds <= TIMEOUT + 4, `it ended after ${seconds} s only`);
  // What is under way is not to look whole.
  if (poller === "epoll") assert(reset, "the end looks like a clean one");
}

async function takeSlowly(conn: Deno.TcpConn): Promise<void> {
  for (let i = 0; i < SECONDS * READS; i++) {
    await readExactly(conn, RATE / READS);
    await pause(1000 / READS);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
