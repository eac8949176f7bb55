/**
 * Fuzzes everything that takes bytes or text of others. Inputs are made from a
 * seed, so that a run can be had again; what is found is told with the seed of
 * its input and with the choices of the smallest one that fails alike.
 *
 * Usage: `deno task fuzz [seconds] [seed] [target]`; a target is named by any
 * part of its name. `deno task fuzz input SEED TARGET`, or a list of choices
 * such as `0,1,17` instead of the seed, runs one input. Exit 1 if anything was
 * found.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a script talks to its terminal

import { Choices } from "./_choices.ts";
import { type Finding, Fuzzer, type TargetReport } from "./_fuzzer.ts";
import type { FuzzTarget } from "./_target.ts";
import { ALL_TARGETS } from "./targets.ts";

/** Milliseconds between two tables. */
const TABLE_EVERY = 60_000;
/** Bytes that may stay: V8 keeps compiled code and feedback. */
const MEMORY_SLACK = 8_000_000;

if (import.meta.main) {
  const [first = "60", second = "1", part = ""] = Deno.args;
  const targets = ALL_TARGETS.filter(({ name }) => name.includes(part));
  if (targets.length === 0) {
    console.error(
      `There is no such target: ${
        ALL_TARGETS.map(({ name }) => name).join("; ")
      }`,
    );
    Deno.exit(2);
  }
  Deno.exitCode = first === "input"
    ? await runOne(targets[0]!, second)
    : await fuzz(targets, Number(first), Number(second));
  // Libraries and workers stay open.
  Deno.exit();
}

async function fuzz(
  targets: readonly FuzzTarget[],
  seconds: number,
  seed: number,
): Promise<number> {
  let told = performance.now();
  const { targets: reports, findings, memory } = await new Fuzzer({
    targets,
    time: seconds * 1000,
    seed,
    onFinding: tell,
    onRound: (reports) => {
      if (performance.now() - told < TABLE_EVERY) return;
      told = performance.now();
      console.log(tableOf(reports));
    },
  }).run();
  console.log(tableOf(reports));
  const grown = memory === undefined ? 0 : memory[1] - memory[0];
  console.log(
    `seed ${seed}: ${findings.length} found; memory ${
      memory?.map((bytes) => `${(bytes / 1e6).toFixed(1)} MB`).join(" to ") ??
        "not looked at"
    }`,
  );
  if (grown > MEMORY_SLACK) console.error("the memory did not come back");
  return findings.length > 0 || grown > MEMORY_SLACK ? 1 : 0;
}

async function runOne(target: FuzzTarget, source: string): Promise<number> {
  const run = await target.open();
  const choices = new Choices(
    source.includes(",") ? source.split(",").map(Number) : Number(source),
  );
  try {
    await run.run(choices);
    console.log(`${target.name}: nothing is wrong`);
    return 0;
  } catch (error) {
    console.error(`${target.name}: choices ${choices.taken}`);
    console.error(error);
    return 1;
  }
}

function tell({ target, seed, choices, error }: Finding): void {
  console.error(`FOUND in ${target}:`, error);
  console.error(`  deno task fuzz input ${seed} "${target}"`);
  if (choices.length > 0) {
    console.error(`  smallest: deno task fuzz input ${choices}, "${target}"`);
  }
}

function tableOf(reports: readonly TargetReport[]): string {
  const total = reports.reduce((sum, { inputs }) => sum + inputs, 0);
  const lines = reports.map(({ name, inputs, time, slowest }) =>
    `${name.padEnd(32)}${`${inputs}`.padStart(10)}${
      `${Math.round(inputs / (time / 1000))}/s`.padStart(10)
    }${`${slowest.toFixed(1)} ms`.padStart(12)}`
  );
  return `${"target".padEnd(32)}${"inputs".padStart(10)}${"rate".padStart(10)}${
    "slowest".padStart(12)
  }\n${lines.join("\n")}\n${"all".padEnd(32)}${`${total}`.padStart(10)}`;
}
