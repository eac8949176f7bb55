/**
 * The import directions of the repository as one pure function over the edges
 * of the module graph.
 *
 * Levels: {crypto, socks5, http, loop} < {shadowsocks, dns} < relay <
 * {inbound, outbound, accounts} < {control, config} < process < demo <
 * main.ts. An import goes downward only, of types too; most folders may import
 * some of those below them only; across folders the surface alone is imported:
 * `mod.ts`, or `fakes.ts` for tests. No two files import each other, by however
 * many others.
 *
 * @module
 */

import type { Edge } from "./_graph.ts";
import { isRunByDeno, isTestModule } from "./_modules.ts";

/** An edge that breaks a rule. */
export interface Violation {
  /** The module with the import. */
  readonly path: string;
  /** Line of the import, from 1. */
  readonly line: number;
  /** What it imports. */
  readonly to: string;
  /** The broken rule. */
  readonly rule: string;
}

/** What is laid down for one folder. */
interface Folder {
  /** An import goes to a lower level only. */
  readonly level: number;
  /**
   * The folders it may import, or single files of them; absent: all that are
   * below it.
   */
  readonly imports?: readonly string[];
}

const METHODS = "crypto/methods.ts";
const PSK = "crypto/psk.ts";

/** Each folder, the lowest first; `""` is `main.ts`. */
const FOLDERS: Readonly<Record<string, Folder>> = {
  crypto: { level: 0, imports: [] },
  socks5: { level: 0, imports: [] },
  http: { level: 0, imports: [] },
  loop: { level: 0, imports: [] },
  shadowsocks: { level: 1, imports: ["crypto", "socks5"] },
  dns: { level: 1, imports: ["loop"] },
  relay: { level: 2, imports: ["loop", "dns"] },
  inbound: {
    level: 3,
    imports: ["relay", "shadowsocks", "socks5", "http", "dns", "loop"],
  },
  outbound: {
    level: 3,
    imports: ["relay", "shadowsocks", "socks5", "http", "dns", "loop"],
  },
  accounts: { level: 3, imports: ["relay"] },
  control: { level: 4, imports: ["relay", "accounts", "loop", "dns"] },
  config: { level: 4, imports: ["loop", METHODS, PSK] },
  process: { level: 5 },
  demo: { level: 6 },
  "": { level: 7 },
};

/** What {@linkcode FOLDERS} says in words, where the words are known. */
const REASONS: Readonly<Record<string, string>> = {
  crypto: "relay/ knows no cipher",
  shadowsocks: "relay/ knows no protocol",
  socks5: "relay/ knows no protocol",
  http: "relay/ knows no protocol",
};

/**
 * Files that other folders may import beside `mod.ts`: pure data, and the parts
 * of a folder that a process loads only if it needs them, so that it does not
 * pay for the others in start-up time and memory.
 */
const EXCEPTIONS: ReadonlySet<string> = new Set([
  METHODS,
  PSK,
  "config/format.ts",
  "config/key_docs.ts",
  "config/no_role.ts",
  "config/port_config.ts",
  "config/schema.ts",
  "control/access_log.ts",
  "crypto/blake3.ts",
  "inbound/local.ts",
  "inbound/server.ts",
  "outbound/basic.ts",
  "outbound/shadowsocks.ts",
  "shadowsocks/salt_table.ts",
]);

const ASSERT = "@std/assert";

/**
 * Tells whether a module is what a folder of the product shows to the others.
 *
 * @param path Path relative to the repository.
 * @returns True for `main.ts`, the `mod.ts` of a folder and of a folder in it,
 * `fakes.ts` and {@linkcode EXCEPTIONS}.
 */
export function isSurface(path: string): boolean {
  const folder = folderOf(path);
  if (FOLDERS[folder] === undefined) return false;
  return path === "main.ts" || path === `${folder}/mod.ts` ||
    path === `${folder}/fakes.ts` || EXCEPTIONS.has(path) ||
    /^[^/]+\/[^/]+\/mod\.ts$/.test(path);
}

/**
 * Finds every edge that the import rules forbid, and every cycle.
 *
 * @param edges All imports of all first-party modules.
 * @returns What is wrong, in the order of the edges, cycles last; empty if
 * nothing is.
 */
export function findViolations(edges: readonly Edge[]): Violation[] {
  const violations: Violation[] = [];
  for (const edge of edges) {
    const rule = brokenRule(edge);
    if (rule !== undefined) {
      violations.push({
        path: edge.from,
        line: edge.line,
        to: edge.to,
        rule,
      });
    }
  }
  return violations.concat(findCycles(edges));
}

function brokenRule(edge: Edge): string | undefined {
  const { from, to } = edge;
  if (!to.endsWith(".ts") || to.includes(":")) return brokenOutside(edge);
  if (from.startsWith("tests/")) return undefined;
  if (to.startsWith("tests/")) {
    return isTestModule(from) ? undefined : "tests/ is imported by tests only";
  }
  const target = folderOf(to);
  const source = folderOf(from);
  if (to.startsWith("scripts/")) {
    return source === "scripts"
      ? undefined
      : "scripts/ is imported by nobody else";
  }
  if (isRunByDeno(to)) return "a test is imported by nobody";
  if (isTestModule(to) && !isTestModule(from)) {
    return "a fixture is imported by tests only";
  }
  if (source === target) return undefined;
  if (source === "scripts") return brokenSurface(to);
  return brokenLevel(source, to) ?? brokenSurface(to);
}

function brokenOutside(edge: Edge): string | undefined {
  if (isTestModule(edge.from) || !edge.specifier.startsWith(ASSERT)) {
    return undefined;
  }
  return "asserts are for tests only";
}

function brokenLevel(
  source: string,
  to: string,
): string | undefined {
  const target = folderOf(to);
  const above = FOLDERS[source];
  const below = FOLDERS[target];
  if (above === undefined) return `folder ${source}/ has no level`;
  if (below === undefined) return `folder ${target}/ has no level`;
  const importer = name(source);
  if (above.level < below.level) return `${importer} may not import upward`;
  if (above.level === below.level) {
    return `${importer} may not import sideways`;
  }
  const { imports } = above;
  if (
    imports === undefined || imports.includes(target) || imports.includes(to)
  ) {
    return undefined;
  }
  const reason = source === "relay" ? REASONS[target] : undefined;
  return reason ?? `${importer} may import ${imports.join(", ") || "nothing"}`;
}

function brokenSurface(to: string): string | undefined {
  const target = folderOf(to);
  if (target === "") return "main.ts is imported by nobody";
  // That only tests import `fakes.ts`, a fixture, is checked before.
  return isSurface(to) ? undefined : `across folders import ${target}/mod.ts`;
}

function folderOf(path: string): string {
  const slash = path.indexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

function name(folder: string): string {
  return folder === "" ? "main.ts" : `${folder}/`;
}

/** Depth-first search; imports of types count, and tests too. */
function findCycles(edges: readonly Edge[]): Violation[] {
  const graph = Map.groupBy(edges, (edge) => edge.from);
  const done = new Set<string>();
  const path: string[] = [];
  const cycles: Violation[] = [];
  function visit(node: string): void {
    path.push(node);
    for (const edge of graph.get(node) ?? []) {
      const start = path.indexOf(edge.to);
      if (start >= 0) {
        const round = [...path.slice(start), edge.to].join(" > ");
        cycles.push({
          path: node,
          line: edge.line,
          to: edge.to,
          rule: `no cycles: ${round}`,
        });
      } else if (!done.has(edge.to)) {
        visit(edge.to);
      }
    }
    path.pop();
    done.add(node);
  }
  for (const node of graph.keys()) {
    if (!done.has(node)) visit(node);
  }
  return cycles;
}
