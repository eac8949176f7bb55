/**
 * How long it takes to read an ACL of 100,000 rules, what it holds in memory,
 * and how long one look-up in it takes.
 *
 * The figures are made in a process of their own, `deno run scripts/bench/
 * acl.ts`, whose heap is collected before it is measured.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a script talks to its terminal

import { SocketAddress } from "../../loop/mod.ts";
import { type Acl, canonicalHost, parseAcl } from "../../outbound/mod.ts";
import type { Table } from "./table.ts";

/** Options of {@linkcode benchAcl}. */
export interface AclBenchOptions {
  /** Told what is measured now. */
  readonly progress: (text: string) => void;
}

interface Figures {
  readonly parse: number;
  readonly memory: number;
  readonly name: number;
  readonly address: number;
}

const RULES = 100_000;
/** Names and addresses that are looked up, some with a rule, most without. */
const QUESTIONS = 1_000;
const ROUNDS = 200;
const MEBIBYTE = 1024 * 1024;

/**
 * Measures the ACL.
 *
 * @param options Who is told.
 * @returns One table.
 * @throws {Error} If the process that measures fails.
 */
export async function benchAcl(options: AclBenchOptions): Promise<Table[]> {
  options.progress(`an ACL of ${RULES} rules`);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--unstable-net",
      "--v8-flags=--expose-gc",
      new URL(import.meta.url).href,
    ],
  }).output();
  const text = new TextDecoder();
  if (code !== 0) {
    throw new Error(`Cannot measure the ACL: ${text.decode(stderr)}`);
  }
  const figures = JSON.parse(text.decode(stdout)) as Figures;
  const { parse, memory, name, address } = figures;
  return [{
    title: `ACL of ${RULES.toLocaleString("en-US")} rules`,
    columns: [
      { name: "look-up of a name", unit: "ns", better: "lower", chart: true },
      { name: "look-up of an address", unit: "ns", better: "lower" },
      { name: "parse", unit: "ms", better: "lower" },
      { name: "memory", unit: "MiB", better: "lower" },
    ],
    rows: [{
      name: "shadowsocks",
      values: [name, address, parse, memory],
      ours: true,
    }],
  }];
}

/** A tenth exact names, half suffixes as rules or expressions, networks. */
function aclText(): string {
  const lines = ["[bypass_list]"];
  for (let i = 0; i < RULES; i++) {
    const name = nameOf(i);
    if (i % 10 === 0) lines.push(`|${name}`);
    else if (i % 10 < 4) lines.push(`||${name}`);
    else if (i % 10 < 6) {
      lines.push(`(^|\\.)${name.replaceAll(".", "\\.")}$`);
    } else if (i % 10 < 9) lines.push(`${v4Of(i)}/24`);
    else {lines.push(
        `2001:${(i >> 8).toString(16)}:${(i & 255).toString(16)}::/48`,
      );}
  }
  return lines.join("\n");
}

function nameOf(i: number): string {
  return `host-${(i * 7919).toString(36)}.example-${i % 1000}.com`;
}

function v4Of(i: number): string {
  return `${1 + i % 200}.${(i >> 8) & 255}.${i & 255}.0`;
}

function measure(): Figures {
  const text = aclText();
  readAcl(text.slice(0, text.length / 10));
  const before = heldBytes();
  const start = performance.now();
  const acl = readAcl(text);
  const parse = performance.now() - start;
  const memory = (heldBytes() - before) / MEBIBYTE;
  const names = Array.from(
    { length: QUESTIONS },
    (_, i) => i % 4 === 0 ? `www.${nameOf(i * 97)}` : `www.site-${i}.example`,
  );
  const addresses = Array.from(
    { length: QUESTIONS },
    (_, i) =>
      SocketAddress.parse(i % 4 === 0 ? v4Of(i * 97) : `203.0.${i & 255}.9`, 0)
        .bytes,
  );
  const name = nanoseconds(() => {
    for (const each of names) acl.routeOfName(canonicalHost(each));
  });
  const address = nanoseconds(() => {
    for (const each of addresses) acl.routeOfAddress(each);
  });
  return { parse, memory, name, address };
}

function readAcl(text: string): Acl {
  const reading = parseAcl(text, "bench.acl");
  if ("acl" in reading) return reading.acl;
  throw new Error(`Cannot read ACL: ${reading.problems[0]?.message}`);
}

/** Bytes on the heap and in buffers, after what nobody holds is collected. */
function heldBytes(): number {
  (globalThis as { readonly gc?: () => void }).gc?.();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

/** Of one question, when a round asks all of them. */
function nanoseconds(round: () => void): number {
  round();
  const start = performance.now();
  for (let i = 0; i < ROUNDS; i++) round();
  return (performance.now() - start) * 1e6 / (ROUNDS * QUESTIONS);
}

if (import.meta.main) console.log(JSON.stringify(measure()));
