/**
 * The import directions of the repository as one pure function over the edges
 * of the module graph.
 *
 * Levels: {crypto, socks5, loop} < {config, dns} < relay < process < demo <
 * main.ts. An import goes downward only, and across folders to a folder's
 * surface only.
 *
 * @module
 */

import { isRunByDeno, isTestModule } from "./_modules.ts";

/** One import or re-export in a first-party module. */
export interface Edge {
  /** The importing module, relative to the repository. */
  readonly from: string;
  /** The imported module, relative to the repository; else its specifier. */
  readonly to: string;
  /** The specifier as written. */
  readonly specifier: string;
  /** Line of the import, from 1. */
  readonly line: number;
  /** Whether it is `import type`: gone at run time. */
  readonly typeOnly: boolean;
}

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

/** The level of each folder; an import goes to a lower number. */
const LEVELS: Readonly<Record<string, number>> = {
  crypto: 0,
  socks5: 0,
  http: 0,
  loop: 0,
  shadowsocks: 1,
  dns: 1,
  relay: 2,
  inbound: 3,
  outbound: 3,
  accounts: 3,
  control: 4,
  config: 4,
  process: 5,
  demo: 6,
  "": 7,
};

/** Files that other folders may import beside `mod.ts`. */
const EXCEPTIONS: ReadonlySet<string> = new Set(["crypto/methods.ts"]);

/** Imports across folders that are allowed for types alone. */
const TYPE_ONLY: ReadonlySet<string> = new Set(["relay>config"]);

const ASSERT = "@std/assert";

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
  if (source === "scripts") return brokenSurface(to, target);
  return brokenLevel(edge, source, target) ?? brokenSurface(to, target);
}

function brokenOutside(edge: Edge): string | undefined {
  if (isTestModule(edge.from) || !edge.specifier.startsWith(ASSERT)) {
    return undefined;
  }
  return "asserts are for tests only";
}

function brokenLevel(
  edge: Edge,
  source: string,
  target: string,
): string | undefined {
  const above = LEVELS[source];
  const below = LEVELS[target];
  if (above === undefined) return `folder ${source}/ has no level`;
  if (below === undefined) return `folder ${target}/ has no level`;
  if (above < below) return `${name(source)} may not import upward`;
  if (above === below) return `${name(source)} may not import sideways`;
  if (
    TYPE_ONLY.has(`${source}>${target}`) && !edge.typeOnly &&
    !isTestModule(edge.from)
  ) {
    return `${name(source)} may import types only from ${name(target)}`;
  }
  return undefined;
}

function brokenSurface(to: string, target: string): string | undefined {
  if (target === "") return "main.ts is imported by nobody";
  if (to === `${target}/mod.ts` || EXCEPTIONS.has(to)) return undefined;
  // The other surface of a folder; that only tests use it is checked before.
  if (to === `${target}/fakes.ts`) return undefined;
  return `across folders import ${target}/mod.ts`;
}

function folderOf(path: string): string {
  const slash = path.indexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

function name(folder: string): string {
  return folder === "" ? "main.ts" : `${folder}/`;
}

/** Depth-first search over the edges that exist at run time. */
function findCycles(edges: readonly Edge[]): Violation[] {
  const graph = new Map<string, Edge[]>();
  for (const edge of edges) {
    if (edge.typeOnly) continue;
    const list = graph.get(edge.from);
    if (list === undefined) graph.set(edge.from, [edge]);
    else list.push(edge);
  }
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
