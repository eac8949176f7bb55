/**
 * The command line of the benchmark.
 *
 * @module
 */

import * as cli from "@std/cli/parse-args";
import { findMethod } from "../../crypto/mod.ts";

/** What is used of the library, which comes without types. */
const parseArgs = cli.parseArgs as (args: string[], options: {
  readonly boolean: readonly string[];
  readonly string: readonly string[];
  readonly alias: Readonly<Record<string, string>>;
  readonly unknown: (arg: string) => boolean;
}) => {
  readonly brief: boolean;
  readonly help: boolean;
  readonly report?: string;
  readonly methods?: string;
  readonly only?: string;
  readonly seconds?: string;
};

/** The parts of the benchmark, in the order they run in. */
const PARTS = ["crypto", "acl", "salts", "users", "loop", "relay"] as const;

/** One of {@linkcode PARTS}. */
export type Part = typeof PARTS[number];

/** What to measure and how long. */
export interface BenchOptions {
  /** Whether it only has to run, not to be exact. */
  readonly brief: boolean;
  /** The folder for `bench.md` and `bench.svg`; undefined: no report. */
  readonly report: string | undefined;
  /** The methods; the first one is used where one is enough. */
  readonly methods: readonly string[];
  /** The parts. */
  readonly parts: readonly Part[];
  /** How long one end-to-end workload runs. */
  readonly seconds: number;
}

/** What `--help` prints. */
export const USAGE = `usage: deno task bench [OPTION]...

Measures the ciphers, look-ups in a large ACL, the memory of salts, many users
on one port, the event loop, and whole connections through this program and
through every other shadowsocks found on PATH.

  --brief         a few seconds in all: shows that it runs, not how fast
  --report DIR    write DIR/bench.md and DIR/bench.svg
  --methods A,B   default: aes-256-gcm,chacha20-ietf-poly1305,aes-256-cfb
  --only PARTS    of crypto,acl,salts,users,loop,relay; default: all
  --seconds N     of each end-to-end workload; default: 3
  -h, --help      show this text
`;

const METHODS = ["aes-256-gcm", "chacha20-ietf-poly1305", "aes-256-cfb"];
const SECONDS = 3;
const SECONDS_BRIEF = 0.25;

/**
 * Reads the command line.
 *
 * @param args What stands on it.
 * @returns The options; `help`; or an `Error` that says what is wrong.
 */
export function parseOptions(
  args: readonly string[],
): BenchOptions | "help" | Error {
  let unknown: string | undefined;
  const flags = parseArgs([...args], {
    boolean: ["brief", "help"],
    string: ["report", "methods", "only", "seconds"],
    alias: { h: "help" },
    unknown: (arg) => {
      unknown ??= arg;
      return false;
    },
  });
  if (unknown !== undefined) {
    return new Error(`option ${unknown} not recognized`);
  }
  if (flags.help) return "help";
  const { brief, report } = flags;
  if (report === "") return new Error("option --report needs a folder");
  const methods = flags.methods?.split(",") ??
    (brief ? METHODS.slice(0, 1) : METHODS);
  for (const name of methods) {
    if (findMethod(name) === undefined) {
      return new Error(
        `option --methods has "${name}": there is no such method`,
      );
    }
  }
  const parts = flags.only?.split(",") ?? PARTS;
  for (const name of parts) {
    if (!isPart(name)) {
      return new Error(
        `option --only has "${name}": expected ${PARTS.join(", ")}`,
      );
    }
  }
  const seconds = Number(flags.seconds ?? (brief ? SECONDS_BRIEF : SECONDS));
  if (!(seconds > 0 && seconds <= 600)) {
    return new Error(
      `option --seconds is "${flags.seconds}": expected more than 0, at most 600`,
    );
  }
  return { brief, report, methods, parts: parts.filter(isPart), seconds };
}

function isPart(name: string): name is Part {
  return PARTS.some((part) => part === name);
}
