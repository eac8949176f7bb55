/**
 * The usage and version texts.
 *
 * @module
 */

import { CIPHER_METHODS } from "../crypto/methods.ts";
import manifest from "../deno.json" with { type: "json" };
import { type OptionRow, optionsOf } from "./_options.ts";
import type { Role } from "./types.ts";

/** The version of this program. */
export const VERSION: string = manifest.version;

/** Where the right column of the options begins, and where lines end. */
const RIGHT_COLUMN = 25;
const LINE_WIDTH = 79;

/** What each role is for. */
const PURPOSE: Readonly<Record<Role, string>> = {
  sslocal:
    "Takes SOCKS and HTTP connections and sends them encrypted to servers.",
  ssserver: "Takes encrypted connections of clients and sends them on.",
  sstunnel: "Sends what comes to one port encrypted to one destination.",
  ssmanager: "Opens and closes the ports of a server as it is told.",
};

const METHOD_INDENT = 2;

/**
 * What `--version` prints.
 *
 * @returns The lines, the last one ended.
 */
export function versionText(): string {
  return `Shadowsocks ${VERSION}\nTypeScript on Deno, in one executable\n`;
}

/**
 * What `--help` prints.
 *
 * @param role What the program is started as.
 * @returns The lines, the last one ended.
 */
export function usageText(role: Role): string {
  const options = optionsOf(role);
  const lines = [
    `usage: ${role} [OPTION]...`,
    PURPOSE[role],
    "",
    "Settings come from a file (-c, or config.json or config.toml here) and " +
    "from",
    "the options below, which win over the file.",
    "",
    "Proxy options:",
    ...optionLines(options.filter((row) => row.section === "proxy")),
    "",
    "General options:",
    ...optionLines(options.filter((row) => row.section === "general")),
    "",
    ...methodLines(),
    "",
  ];
  return lines.join("\n");
}

/**
 * What is printed when nothing is configured: how to start, in a few lines.
 *
 * @param role What the program is started as.
 * @returns The lines, the last one ended.
 */
export function shortUsage(role: Role): string {
  return [
    `usage: ${role} [OPTION]...`,
    PURPOSE[role],
    "",
    ...EXAMPLES[role].map((each) => `  ${role} ${each}`),
    `  ${role} --help     lists all options`,
    "",
    "",
  ].join("\n");
}

const FILE_EXAMPLE = "-c FILE    with the settings of a file, TOML or JSON";

/** How each role can be started. */
const EXAMPLES: Readonly<Record<Role, readonly string[]>> = {
  sslocal: [
    FILE_EXAMPLE,
    "ss://…     with the link of a server",
    "-s SERVER_ADDR -p SERVER_PORT -k PASSWORD -m METHOD",
  ],
  ssserver: [FILE_EXAMPLE, "-p SERVER_PORT -k PASSWORD -m METHOD"],
  sstunnel: [
    FILE_EXAMPLE,
    "-s SERVER_ADDR -p SERVER_PORT -k PASSWORD -m METHOD -L HOST:PORT",
  ],
  ssmanager: [FILE_EXAMPLE, "--manager-address ADDR -m METHOD"],
};

function optionLines(rows: readonly OptionRow[]): string[] {
  return rows.flatMap((row) => {
    if (row.help === undefined) return [];
    const [left, right] = row.help;
    const [first, ...more] = wrap(right.split(" "), RIGHT_COLUMN);
    const lines = [`  ${left}`.padEnd(RIGHT_COLUMN) + first!.trimStart()];
    if (left.length + 2 >= RIGHT_COLUMN) {
      lines.splice(0, 1, `  ${left}`, first!);
    }
    return [...lines, ...more];
  });
}

function methodLines(): string[] {
  const methods = [...CIPHER_METHODS.values()];
  const safe = methods.filter((method) => !method.legacy);
  const legacy = methods.filter((method) => method.legacy);
  return [
    "Methods, authenticated (AEAD):",
    ...wrap(listed(safe.map((method) => method.name)), METHOD_INDENT),
    "Old methods, without authentication:",
    ...wrap(listed(legacy.map((method) => method.name)), METHOD_INDENT),
  ];
}

function listed(names: readonly string[]): string[] {
  return names.map((name, i) => i < names.length - 1 ? `${name},` : name);
}

/** Fills lines with words. */
function wrap(words: readonly string[], column: number): string[] {
  const indent = " ".repeat(column);
  const lines: string[] = [];
  let line = indent;
  for (const word of words) {
    const space = line === indent ? "" : " ";
    if (line.length + space.length + word.length > LINE_WIDTH) {
      lines.push(line);
      line = indent + word;
    } else {
      line += space + word;
    }
  }
  return [...lines, line];
}
