/**
 * The report of a benchmark: the machine, the method, every table, and charts.
 *
 * @module
 */

import os from "node:os";
import { drawCharts } from "./chart.ts";
import { libraryVersions } from "./crypto.ts";
import { formatMarkdown, type Table } from "./table.ts";

/** What a report says beside its tables. */
export interface ReportFacts {
  /** The command line that made it. */
  readonly args: readonly string[];
  /** Name and version of everybody measured. */
  readonly contestants: readonly string[];
}

const METHOD = `Crypto: one thread of this process, the same buffers again and
again; a MB has 1,000,000 bytes. Event loop: both ends in one loop. Relay:
application, local, server and target are four threads or processes of one
machine and share its cores, over loopback.

Rates depend on how the system deals out its cores. CPU is the user and system
time of the local's and of the server's process for each unit of work. Compare
CPU costs as ratios within one run: both change from machine to machine, and
from run to run, far more than the ratio of two of them does.
`;

/**
 * Writes `bench.md` and `bench.svg`.
 *
 * @param folder Where to; made if it is not there.
 * @param tables What was measured.
 * @param facts What was run.
 */
export async function writeReport(
  folder: string,
  tables: readonly Table[],
  facts: ReportFacts,
): Promise<void> {
  const libraries = await libraryVersions();
  const machine = [
    ["CPU", os.cpus()[0]?.model.trim() || "unknown"],
    ["Cores", `${navigator.hardwareConcurrency}`],
    ["System", `${Deno.build.os} ${Deno.osRelease()}, ${Deno.build.arch}`],
    ["Deno", `${Deno.version.deno}, V8 ${Deno.version.v8}`],
    ["Libraries", libraries.join(", ") || "none"],
    ["Measured", facts.contestants.join("; ") || "this program alone"],
    ["Command", `\`${["deno task bench", ...facts.args].join(" ")}\``],
    ["Date", new Date().toISOString().slice(0, 10)],
  ];
  const text = [
    "## Benchmark\n",
    "| | |",
    "| --- | --- |",
    ...machine.map(([name, value]) => `| ${name} | ${value} |`),
    "",
    METHOD,
    "![Charts of the figures below](bench.svg)\n",
    ...tables.map(formatMarkdown),
  ].join("\n");
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/bench.md`, `${text.trimEnd()}\n`);
  await Deno.writeTextFile(`${folder}/bench.svg`, drawCharts(tables));
}
