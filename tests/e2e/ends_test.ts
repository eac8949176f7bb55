/**
 * Ends that are none: whatever cuts a transfer, a time-out, a signal or the
 * death of one side, the application and the target see a reset where the
 * poller next to them can send one. Whoever is behind the other side sees it
 * also where only that one can.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  type Pair,
  readExactly,
  readUntilClosed,
  socks5Connect,
  spawnPair,
  TcpTarget,
  withTimeout,
  writeAll,
} from "../support/mod.ts";

const LINUX = Deno.build.os === "linux";
/** Connections that are cut at once. */
const COUNT = 8;

/** What cuts, and which poller each side has. */
interface Case {
  readonly local: "epoll" | "deno";
  readonly server: "epoll" | "deno";
  /** Who gets which signal. */
  readonly victim: "local" | "server";
  readonly signal: "SIGTERM" | "SIGKILL";
}

/** The deno poller cannot reset, and the system not for it either. */
const CASES: readonly Case[] = [
  ...(["local", "server"] as const).flatMap((victim) =>
    (["SIGTERM", "SIGKILL"] as const).map((signal) => ({
      local: "epoll" as const,
      server: "epoll" as const,
      victim,
      signal,
    }))
  ),
  { local: "epoll", server: "deno", victim: "server", signal: "SIGTERM" },
  { local: "deno", server: "epoll", victim: "local", signal: "SIGTERM" },
];

for (const { local, server, victim, signal } of LINUX ? CASES : []) {
  Deno.test(`both ends see that a transfer was cut by ${signal} of the ${victim} side (${local}, ${server})`, async () => {
    await using pair = await spawnPair({
      local: { event_loop: local },
      server: { event_loop: server },
    });
    const seen = await cut(pair, () => pair[victim].program.stop(signal));
    if (local === "epoll") assertEquals(seen.app, COUNT, "applications");
    if (server === "epoll") assertEquals(seen.target, COUNT, "targets");
  });
}

/** Has transfers begin, cuts them, and counts who has seen a reset. */
async function cut(
  pair: Pair,
  end: () => Promise<unknown>,
): Promise<{ readonly app: number; readonly target: number }> {
  const targetEnds: Promise<boolean>[] = [];
  await using target = new TcpTarget(async (conn) => {
    await writeAll(conn, new Uint8Array(1000));
    const seen = isReset(conn);
    targetEnds.push(seen);
    await seen;
  });
  const conns = await Promise.all(
    Array.from({ length: COUNT }, () => socks5Connect(pair.local.port, target)),
  );
  try {
    await Promise.all(conns.map((conn) => readExactly(conn, 1000)));
    const appEnds = conns.map(isReset);
    await withTimeout(end(), "the end of the process");
    const all = Promise.all([Promise.all(appEnds), Promise.all(targetEnds)]);
    const [app, far] = await withTimeout(all, "the ends of the connections");
    assert(far.length === COUNT);
    const count = (ends: readonly boolean[]) =>
      ends.filter((each) => each).length;
    return { app: count(app), target: count(far) };
  } finally {
    for (const conn of conns) conn.close();
  }
}

async function isReset(conn: Deno.TcpConn): Promise<boolean> {
  return (await readUntilClosed(conn)).reset;
}
