/**
 * Runs both roles under mixed traffic for a long time: short, long, stalled and
 * aborted connections, datagrams, dead names, refused targets, strangers and
 * replays, while nobody reads what the local writes. Memory and descriptors
 * are looked at after five minutes and at the end, each time when all clients
 * have left.
 *
 * Usage: `deno task soak [minutes] [seed] [epoll|deno]`; Linux only, since
 * numbers are read from `/proc`. With `SS_EXECUTABLE` the executable runs
 * instead of the source.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a script talks to its terminal

import { testEdition } from "../../shadowsocks/fakes.ts";
import { PASSWORD, spawnPair } from "../support/mod.ts";
import { type Counts, pauseFor, SoakClients } from "./_clients.ts";
import { nameServer, SoakTargets } from "./_targets.ts";
import { type Reading, readRole, ROLES, verdictOf } from "./_verdict.ts";

const MINUTE = 60_000;
/** Milliseconds between two lines. */
const LINE = 30_000;
/**
 * Milliseconds after which nothing of the clients is left: associations end
 * 10 s after their last packet, which is looked at every 10 s, and memory is
 * given back within 30 s.
 */
const SETTLE = 45_000;
const UDP_TIMEOUT = 10;
const METHOD = "aes-256-gcm";

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function sum(counts: Counts): number {
  return [...counts.done.values()].reduce((total, count) => total + count, 0);
}

if (import.meta.main) {
  const [minutes = 30, seed = 1] = Deno.args.slice(0, 2).map(Number);
  const event_loop = Deno.args[2] ?? "epoll";
  const started = performance.now();
  const names = nameServer();
  const { port } = names.addr as Deno.NetAddr;
  await using targets = new SoakTargets();
  await using pair = await spawnPair({
    method: METHOD,
    both: { event_loop, udp_timeout: UDP_TIMEOUT },
    server: { dns_server: [`127.0.0.1:${port}`] },
  });
  using edition = await testEdition({ password: PASSWORD, method: METHOD });
  const { local, server } = pair;
  local.program.pause();
  const counts: Counts = { done: new Map(), wrong: [], latencies: [] };
  const surroundings = { pair, edition, targets, counts };
  const read = async (): Promise<readonly Reading[]> =>
    await Promise.all(
      [local, server].map(({ program }) => readRole(program.pid)),
    );
  const tell = async (what: string): Promise<void> => {
    const seconds = Math.round((performance.now() - started) / 1000);
    const roles = (await read()).map(({ resident, descriptors }, i) =>
      `${ROLES[i]} ${megabytes(resident)} MB, ` +
      `${descriptors} descriptors`
    );
    const latency = median(counts.latencies.splice(0)).toFixed(1);
    console.log(
      `${seconds} s, ${what}: ${roles.join("; ")}; ${sum(counts)} uses, ` +
        `${counts.wrong.length} wrong; short ones ${latency} ms`,
    );
  };
  const soak = async (until: number): Promise<readonly Reading[]> => {
    {
      await using _clients = new SoakClients(surroundings, seed);
      while (performance.now() - started < until) {
        await pauseFor(Math.min(LINE, until - (performance.now() - started)));
        await tell("busy");
      }
    }
    await pauseFor(SETTLE);
    await tell("left alone");
    return await read();
  };
  const before = await soak(Math.min(5, minutes / 3) * MINUTE);
  const after = await soak(minutes * MINUTE);
  local.program.resume();
  await Promise.all([local.program.stop(), server.program.stop()]);
  names.close();
  console.log(`uses: ${JSON.stringify(Object.fromEntries(counts.done))}`);
  const problems = verdictOf({
    before,
    after,
    wrong: counts.wrong,
    logs: [local, server].map(({ program }) => program.output),
  });
  for (const problem of problems) console.error(problem);
  console.log(
    problems.length === 0 ? "the soak is passed" : "it is not passed",
  );
  Deno.exitCode = problems.length === 0 ? 0 : 1;
}
