/**
 * Reads ACL files.
 *
 * A file is lines. A `#` begins a comment anywhere. A line in brackets is a
 * section:
 *
 * | section | what it says |
 * | --- | --- |
 * | `[proxy_all]` = `[accept_all]` | client: what has no rule goes by the proxy; server: clients are served (the default) |
 * | `[bypass_all]` = `[reject_all]` | client: what has no rule goes direct; server: clients are refused |
 * | `[bypass_list]` = `[black_list]` | rules: targets that go direct; clients that are refused |
 * | `[proxy_list]` = `[white_list]` | rules: targets that go by the proxy; clients that are served |
 * | `[outbound_allow_all]` | targets that have no rule are allowed (the default) |
 * | `[outbound_block_all]` | targets that have no rule are forbidden |
 * | `[outbound_block_list]` | rules: forbidden targets |
 * | `[outbound_allow_list]` | rules: allowed targets |
 *
 * All other lines are rules: an address, `address/prefix`, `|name` for a name,
 * `||name` for a name and all names below it, or a regular expression that
 * fits a part of the name in lower case. Internationalized names may be
 * written in either form. Rules above all sections of lists are of
 * `[bypass_list]`, as in the programs whose format this is.
 *
 * @module
 */

import { ClientNames } from "./_client_names.ts";
import { readRule } from "./_rule.ts";
import { findSection, nearestSection, type Section } from "./_sections.ts";
import { RuleList } from "./_rule_list.ts";
import { Acl, type AclRemark, type ListName } from "./acl.ts";

/** An ACL, or what is wrong with its text. */
export type AclReading =
  | { readonly acl: Acl }
  | {
    /**
     * What is wrong, and how to mend it where that is known; in the order of
     * the lines, the first 20.
     */
    readonly problems: readonly AclRemark[];
  };

/** After so many problems the rest of a file is not read. */
const MAX_PROBLEMS = 20;
/** A longer rule is none that anybody wrote. */
const MAX_RULE_LENGTH = 4_096;
/** A whole line in brackets. */
const SECTION_REGEXP = /^\[[^[\]]*\]$/;
/** The name of a section that lacks a bracket or both. */
const BARE_SECTION_REGEXP = /^\[?[a-z]+[_ -](?:[a-z]+[_ -])?(?:all|list)\]?$/i;

/**
 * Reads the text of an ACL file.
 *
 * @param text The text.
 * @param path Where it was read from.
 * @returns The rules, or the problems.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { parseAcl } from "./parser.ts";
 * const reading = parseAcl("[bypass_list]\n||example.com\n", "example.acl");
 * assert("acl" in reading);
 * ```
 */
export function parseAcl(text: string, path: string): AclReading {
  return new AclParser(path).parse(text);
}

class AclParser {
  readonly #path: string;
  readonly #lists: Readonly<Record<ListName, RuleList>> = {
    black: new RuleList(),
    white: new RuleList(),
    outboundBlock: new RuleList(),
    outboundAllow: new RuleList(),
  };
  readonly #problems: AclRemark[] = [];
  readonly #clientNames = new ClientNames();
  readonly #modes = { bypassAll: false, outboundBlockAll: false };
  #list: ListName | undefined;
  #line = 0;
  #column = 0;

  constructor(path: string) {
    this.#path = path;
  }

  parse(text: string): AclReading {
    for (let at = 0; at < text.length;) {
      const newline = text.indexOf("\n", at);
      const end = newline < 0 ? text.length : newline;
      this.#line++;
      this.#readLine(text, at, end);
      if (this.#problems.length >= MAX_PROBLEMS) break;
      at = end + 1;
    }
    if (this.#problems.length > 0) return { problems: this.#problems };
    for (const list of Object.values(this.#lists)) list.seal();
    const lists = this.#lists;
    const clientNames = this.#clientNames.remark();
    const parts = { path: this.#path, ...this.#modes, lists, clientNames };
    return { acl: new Acl(parts) };
  }

  #readLine(text: string, start: number, end: number): void {
    const line = text.slice(start, end);
    const hash = line.indexOf("#");
    const written = hash < 0 ? line : line.slice(0, hash);
    // trim() takes a byte order mark and a carriage return too.
    const content = written.trim();
    if (content === "") return;
    this.#column = written.length - written.trimStart().length + 1;
    if (content.length > MAX_RULE_LENGTH) {
      this.#report(`a rule has at most ${MAX_RULE_LENGTH} characters`);
    } else if (SECTION_REGEXP.test(content)) this.#readSection(content);
    else this.#readRule(content);
  }

  #readSection(content: string): void {
    const section = findSection(content);
    if (section !== undefined) {
      this.#enter(section);
      return;
    }
    const meant = nearestSection(content);
    this.#report(
      `there is no section ${content}` +
        (meant === undefined ? "" : `: did you mean ${meant}?`),
    );
  }

  #enter(section: Section): void {
    if ("list" in section) this.#list = section.list;
    else this.#modes[section.mode] = section.on;
  }

  #readRule(content: string): void {
    if (this.#isForgottenSection(content)) return;
    if (this.#list === undefined) this.#checkDefaultList();
    const rule = readRule(content);
    if (rule.kind === "problem") {
      this.#column += rule.at;
      this.#report(rule.message);
      return;
    }
    const name = this.#list ?? "black";
    if (rule.kind !== "network") {
      this.#clientNames.add(name, this.#line, this.#column);
    }
    const fault = this.#lists[name].add(rule, content);
    if (fault !== undefined) {
      this.#report(`cannot use the expression "${content}": ${fault}`);
    }
  }

  /** Reports a section that lacks a bracket or both. */
  #isForgottenSection(content: string): boolean {
    if (!BARE_SECTION_REGEXP.test(content)) return false;
    const meant = nearestSection(content);
    if (meant === undefined) return false;
    this.#report(`"${content}" is not a rule: did you mean ${meant}?`);
    return true;
  }

  /**
   * Rules above all lists are of the black one. Below a section that turns the
   * default around that list would change nothing, or refuse the very clients
   * that are meant to be served: that is a mistake, told once.
   */
  #checkDefaultList(): void {
    const { bypassAll, outboundBlockAll } = this.#modes;
    if (!bypassAll && !outboundBlockAll) return;
    this.#list = "black";
    const meant = bypassAll
      ? "[proxy_list] or [white_list]"
      : "[outbound_allow_list]";
    this.#report(`a rule before the section of its list: put ${meant} above`);
  }

  #report(message: string): void {
    this.#problems.push({
      line: this.#line,
      column: this.#column,
      message,
    });
  }
}
