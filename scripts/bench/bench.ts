/**
 * The benchmark: ciphers, a large ACL, memory of salts, users on one port, event
 * loop, and whole connections through this program and through every other
 * shadowsocks found on PATH.
 *
 * Usage: `deno task bench`; `--help` lists the options.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a script talks to its terminal

import { benchAcl } from "./acl.ts";
import { benchCrypto } from "./crypto.ts";
import { benchLoop } from "./loop.ts";
import { type BenchOptions, parseOptions, USAGE } from "./options.ts";
import { benchRelay } from "./relay.ts";
import { writeReport } from "./report.ts";
import { benchSalts } from "./salts.ts";
import { formatText, type Table } from "./table.ts";
import { benchUsers } from "./users.ts";

/**
 * Part of `--seconds` for which one figure of a cipher is measured: it varies
 * less than that of whole connections, and there are many more figures.
 */
const CRYPTO_SHARE = 0.1;

function progress(text: string): void {
  console.log(`bench: ${text}`);
}

async function bench(options: BenchOptions): Promise<void> {
  const { parts, methods, brief, seconds } = options;
  const tables: Table[] = [];
  const contestants: string[] = [];
  if (parts.includes("crypto")) {
    const share = seconds * CRYPTO_SHARE;
    tables.push(...await benchCrypto({ methods, seconds: share, progress }));
  }
  if (parts.includes("acl")) tables.push(...await benchAcl({ progress }));
  if (parts.includes("salts")) tables.push(...await benchSalts({ progress }));
  if (parts.includes("users")) {
    tables.push(...await benchUsers({ methods, progress }));
  }
  if (parts.includes("loop")) {
    tables.push(...await benchLoop({ seconds, progress }));
  }
  if (parts.includes("relay")) {
    const result = await benchRelay({ methods, brief, seconds, progress });
    tables.push(...result.tables);
    contestants.push(...result.contestants);
  }
  console.log(`\n${tables.map(formatText).join("\n")}`);
  console.log("Compare CPU costs as ratios within one run.");
  if (options.report !== undefined) {
    await writeReport(options.report, tables, { args: Deno.args, contestants });
    console.log(`The report is in ${options.report}: bench.md, bench.svg`);
  }
}

if (import.meta.main) {
  const options = parseOptions(Deno.args);
  if (options === "help") {
    console.log(USAGE);
  } else if (options instanceof Error) {
    console.error(`${options.message}\n${USAGE}`);
    Deno.exit(2);
  } else {
    await bench(options);
  }
}
