/**
 * Measures what an idle connection costs each of the two processes.
 *
 * Usage: `deno run -A --unstable-net tests/measure/idle_memory.ts [count]`;
 * Linux only, for the resident set is read from `/proc`. With `SS_EXECUTABLE`
 * the executable is measured instead of the source.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a script talks to its terminal

import {
  echoTarget,
  type Pair,
  readExactly,
  socks5Connect,
  spawnPair,
  writeAll,
} from "../support/mod.ts";

/** How many connections are opened at the same time. */
const AT_ONCE = 50;
/** Connections before the first look: they warm caches and code up. */
const WARM_UP = 200;
/** Milliseconds in which freed memory goes back to the system. */
const SETTLE = 2_000;

async function residentKiB(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
}

async function residentOf(pair: Pair): Promise<readonly [number, number]> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE));
  return [
    await residentKiB(pair.local.program.pid),
    await residentKiB(pair.server.program.pid),
  ];
}

if (import.meta.main) {
  const count = Number(Deno.args[0] ?? 2000);
  const probe = new TextEncoder().encode("one exchange, then silence");
  await using pair = await spawnPair();
  await using target = echoTarget();
  const open: Deno.TcpConn[] = [];
  const grow = async (size: number): Promise<void> => {
    while (open.length < size) {
      const conns = await Promise.all(
        Array.from(
          { length: Math.min(AT_ONCE, size - open.length) },
          () => socks5Connect(pair.local.port, target),
        ),
      );
      open.push(...conns);
      await Promise.all(conns.map(async (conn) => {
        await writeAll(conn, probe);
        await readExactly(conn, probe.length);
      }));
    }
  };
  try {
    await grow(WARM_UP);
    const before = await residentOf(pair);
    await grow(WARM_UP + count);
    const after = await residentOf(pair);
    for (const [i, name] of ["sslocal", "ssserver"].entries()) {
      const each = (after[i]! - before[i]!) / count;
      console.log(
        `${name}: ${each.toFixed(1)} KiB for each of ${count} idle ` +
          `connections, ${(after[i]! / 1024).toFixed(0)} MiB in all`,
      );
    }
  } finally {
    for (const conn of open) conn.close();
  }
}
