/**
 * The sections of ACL files, in the words of shadowsocks-rust and
 * shadowsocks-libev, and the guess which one was meant.
 *
 * @module
 */

import type { ListName } from "./acl.ts";

/** What the line of a section does. */
export type Section =
  | {
    /** The rules below go to this list. */
    readonly list: ListName;
  }
  | {
    /** What happens where no rule fits is now this. */
    readonly mode: "bypassAll" | "outboundBlockAll";
    readonly on: boolean;
  };

/** The sections by the text between their brackets. */
const SECTIONS: ReadonlyMap<string, Section> = new Map<string, Section>([
  ["bypass_all", { mode: "bypassAll", on: true }],
  ["reject_all", { mode: "bypassAll", on: true }],
  ["proxy_all", { mode: "bypassAll", on: false }],
  ["accept_all", { mode: "bypassAll", on: false }],
  ["outbound_block_all", { mode: "outboundBlockAll", on: true }],
  ["outbound_allow_all", { mode: "outboundBlockAll", on: false }],
  ["bypass_list", { list: "black" }],
  ["black_list", { list: "black" }],
  ["proxy_list", { list: "white" }],
  ["white_list", { list: "white" }],
  ["outbound_block_list", { list: "outboundBlock" }],
  ["outbound_allow_list", { list: "outboundAllow" }],
]);

/** More differences than a slip makes. */
const MAX_DISTANCE = 3;

/**
 * Finds a section.
 *
 * @param line The line, with its brackets.
 */
export function findSection(line: string): Section | undefined {
  return SECTIONS.get(line.slice(1, -1));
}

/**
 * Says which section was meant by a line that is none.
 *
 * @param line What was written, with or without brackets.
 * @returns The section in brackets; undefined if none is close.
 */
export function nearestSection(line: string): string | undefined {
  const written = line.toLowerCase().replace(/[[\]]/g, "").trim()
    .replace(/[\s-]+/g, "_").replaceAll("blacklist", "black_list")
    .replaceAll("whitelist", "white_list");
  let best: string | undefined;
  let limit = Math.min(MAX_DISTANCE + 1, Math.ceil(written.length / 2));
  for (const name of SECTIONS.keys()) {
    const distance = editDistance(written, name);
    if (distance >= limit) continue;
    best = `[${name}]`;
    limit = distance;
  }
  return best;
}

/** Insertions, deletions and replacements that make one text the other. */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(above[j]! + 1, row[j - 1]! + 1, replaced));
    }
    above = row;
  }
  return above[b.length]!;
}
