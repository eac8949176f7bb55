/**
 * Probes a shadowsocks server as censors do, and prints how it reacts: one
 * reaction to everything is what it should have.
 *
 * Usage: `deno task probe HOST:PORT METHOD [--password PASSWORD] [--wait
 * SECONDS] [--repeats N] [--seed N]`. Without the password no genuine flights
 * can be made, and what replays or changes them is skipped. Exit 1 if there is
 * more than one reaction.
 *
 * ```text
 * T   nothing until the prober gives up (then: what its own end is answered by)
 * F   an end      R   a reset      D   bytes
 * ```
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a script talks to its terminal

import { parseArgs } from "@std/cli/parse-args";
import { findMethod, openProviders } from "../../crypto/mod.ts";
import { readHostPort } from "../../config/readers/_hosts.ts";
import { encodeAll } from "../../shadowsocks/fakes.ts";
import { type Edition, openEdition } from "../../shadowsocks/mod.ts";
import { seededBytes } from "../support/mod.ts";
import { isExempt } from "./_first_flights.ts";
import { type NewFlight, planOf } from "./_probes.ts";
import {
  probeAll,
  type ProbeTarget,
  reactionsOf,
  reportOf,
  serve,
} from "./_reactions.ts";

/** A target that nothing listens on: port 9 is "discard". */
const TARGET = { bytes: Uint8Array.of(192, 0, 2, 1), port: 9 };
/** First flights whose shape is looked at. */
const SHAPES = 2000;
const USAGE = "usage: deno task probe HOST:PORT METHOD [--password PASSWORD] " +
  "[--wait SECONDS] [--repeats N] [--seed N]";

/**
 * Makes flights of a client that has the key.
 *
 * @param edition Its edition.
 * @returns Makes one at each call, with 100 to 600 bytes of payload.
 */
export function flightsOf(edition: Edition): NewFlight {
  let n = 0;
  return () => {
    using stream = edition.newClientStream(TARGET);
    n++;
    return encodeAll(stream, seededBytes(100 + n % 500, n));
  };
}

async function main(): Promise<number> {
  const args = parseArgs(Deno.args, {
    string: ["password", "wait", "repeats", "seed"],
    default: { wait: "3", repeats: "5", seed: "1" },
  });
  const [place, name] = args._.map(String);
  const address = place === undefined ? undefined : readHostPort(place);
  const method = name === undefined ? undefined : findMethod(name);
  if (address === undefined || method === undefined) {
    console.error(
      address !== undefined && name !== undefined
        ? `there is no method ${name}\n${USAGE}`
        : USAGE,
    );
    return 2;
  }
  const target: ProbeTarget = {
    hostname: address.host,
    port: address.port,
    wait: 1000 * Number(args.wait),
  };
  const { password } = args;
  using providers = await openProviders();
  using edition = password === undefined
    ? undefined
    : await openEdition({ method: method.name, password }, { providers });
  const newFlight = edition && flightsOf(edition);
  if (newFlight === undefined) {
    console.log("skipped: what replays or changes flights, without --password");
  }
  const { probes, served } = planOf({
    seed: Number(args.seed),
    repeats: Number(args.repeats),
    newFlight,
  });
  for (const flight of served) await serve(target, flight);
  const reports = reportOf(await probeAll(target, probes));
  for (const { family, probes, reactions, times } of reports) {
    const seen = Array.from(reactions, ([code, n]) => `${code} × ${n}`);
    const [least, most] = times.map((time) => time.toFixed(0));
    console.log(
      `${family.padEnd(40)} ${String(probes).padStart(6)}  ` +
        `${seen.join(", ")}  ${least}-${most} ms`,
    );
  }
  if (newFlight !== undefined) {
    const flights = Array.from({ length: SHAPES }, newFlight);
    const share = flights.filter(isExempt).length / SHAPES;
    console.log(
      `first flights of a client: ${(100 * share).toFixed(1)} % would pass a ` +
        "censor that blocks what is wholly encrypted",
    );
  }
  const all = reactionsOf(reports);
  console.log(
    `${probes.length} probes, ${all.length} ` +
      `${all.length === 1 ? "reaction" : "reactions"}: ${all.join(", ")}`,
  );
  return all.length === 1 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
