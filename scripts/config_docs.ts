/**
 * Writes the tables of keys in `docs/configuration.md`, from the rows that the
 * reader of the configuration works with.
 *
 * Usage: `deno run -A scripts/config_docs.ts`.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a script talks to its terminal

import { type KeyDoc, keyDocs, type TableDoc } from "../config/key_docs.ts";
import { ROOT } from "./_modules.ts";

/** The page. */
export const PAGE: URL = new URL("docs/configuration.md", ROOT);

const BEGIN = "<!-- keys: made by scripts/config_docs.ts -->\n";
const END = "<!-- /keys -->\n";

/** What the page calls a role. */
const ROLES: Readonly<Record<string, string>> = {
  sslocal: "local",
  sstunnel: "tunnel",
  ssserver: "server",
  ssmanager: "manager",
};

/**
 * Puts the tables of keys into the page.
 *
 * @param page The text of the page.
 * @returns The text with the tables as they have to be.
 * @throws {Error} If the page has no place for them.
 */
export function withKeyTables(page: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) {
    throw new Error("Cannot write docs: docs/configuration.md has no marks");
  }
  const before = page.slice(0, begin + BEGIN.length);
  return `${before}\n${keyDocs().map(section).join("")}${page.slice(end)}`;
}

function section(table: TableDoc): string {
  const isOuter = table.name === "";
  const title = isOuter ? "" : `### ${table.name}\n\n`;
  const heads = ["Key", "Default", ...(isOuter ? ["Role"] : []), "Meaning"];
  const rows = table.keys.map((doc) => [
    names(doc),
    doc.usual === "" ? "none" : doc.usual,
    ...(isOuter ? [roles(doc)] : []),
    doc.meaning,
  ]);
  return `${title}${markdownTable([heads, ...rows])}\n`;
}

function names({ key, aliases, options }: KeyDoc): string {
  const others = [...new Set([...aliases, ...options])].map((each) =>
    `\`${each}\``
  );
  return [`\`${key}\``, ...others].join(", ");
}

function roles(doc: KeyDoc): string {
  if (doc.roles.length === 0) return "all";
  return doc.roles.map((role) => ROLES[role]).join(", ");
}

/** Padded as `deno fmt` pads it. */
function markdownTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) =>
    Math.max(...rows.map((row) => row[column]!.length))
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |\n`;
  const [heads, ...body] = rows.map(line);
  const rule = line(widths.map((width) => "-".repeat(width)));
  return [heads, rule, ...body].join("");
}

if (import.meta.main) {
  const page = await Deno.readTextFile(PAGE);
  const made = withKeyTables(page);
  if (made !== page) await Deno.writeTextFile(PAGE, made);
  console.log(made === page ? "nothing has changed" : "tables written");
}
