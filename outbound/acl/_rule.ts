/**
 * Reads one rule of an ACL file.
 *
 * @module
 */

import { type Cidr, parseCidr } from "../../loop/mod.ts";
import { canonicalHost, isAscii } from "./_host_name.ts";
import { NAME_BELOW, NAME_ITSELF } from "./_name_table.ts";
import { parsePattern } from "./_pattern_parser.ts";
import type { PatternNode } from "./_pattern_tree.ts";

/** What a rule says. */
export type Rule =
  | {
    readonly kind: "network";
    readonly network: Cidr;
  }
  | {
    readonly kind: "name";
    /** In the form that {@linkcode canonicalHost} gives. */
    readonly name: string;
    /** `NAME_ITSELF`, `NAME_BELOW` or both. */
    readonly flags: number;
  }
  | {
    readonly kind: "pattern";
    readonly pattern: PatternNode;
  };

/** Why a rule cannot be read. */
export interface RuleProblem {
  readonly kind: "problem";
  /** Where in the rule, from 0. */
  readonly at: number;
  readonly message: string;
}

/** Longest name in text (RFC 1035, 2.3.4, less the root and a length). */
const MAX_NAME_LENGTH = 253;
/** Labels of letters, digits, hyphens, and underscores that are in use. */
const NAME_REGEXP = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;
const ADDRESS_REGEXP = /^(?:[\d.]+|[\da-fA-F]*:[\da-fA-F:.]*)(?:\/.*)?$/;
const PORT_REGEXP = /[^?(]:\d+$/;
/** What an escaped name looks like inside of an expression. */
const ESCAPED_NAME = String.raw`((?:[^\\.()[\]{}|*+?^$/\s]|\\[.-])+)`;

/** Expressions that say no more than a name does, by what they say. */
const FORMS: readonly (readonly [RegExp, number])[] = [
  // (^|\.)name$, (\.|^)name$, and both with (?:
  [
    form(String.raw`\((?:\?:)?(?:\^\|\\\.|\\\.\|\^)\)`),
    NAME_ITSELF | NAME_BELOW,
  ],
  // ^(.*\.)?name$, ^(.+\.)?name$, and both with (?:
  [form(String.raw`\^\((?:\?:)?\.[*+]\\\.\)\?`), NAME_ITSELF | NAME_BELOW],
  // \.name$, .*\.name$, ^.*\.name$, ^.+\.name$
  [form(String.raw`(?:\^?\.[*+])?\\\.`), NAME_BELOW],
  // ^name$
  [form(String.raw`\^`), NAME_ITSELF],
];

/**
 * Reads a rule.
 *
 * @param text The rule, without spaces around it.
 */
export function readRule(text: string): Rule | RuleProblem {
  if (text.startsWith("|")) return readName(text);
  const network = readNetwork(text);
  if (network !== undefined) return network;
  const fault = notARule(text);
  if (fault !== undefined) return problem(fault);
  for (const [regexp, flags] of FORMS) {
    const written = regexp.exec(text)?.[1];
    if (written === undefined) continue;
    const name = canonicalHost(written.replaceAll("\\", ""));
    if (isName(name)) return { kind: "name", name, flags };
  }
  return readPattern(text);
}

function form(before: string): RegExp {
  return new RegExp(`^${before}${ESCAPED_NAME}\\$$`);
}

function readName(text: string): Rule | RuleProblem {
  const isSuffix = text.startsWith("||");
  const mark = isSuffix ? "||" : "|";
  const written = text.slice(mark.length);
  const name = canonicalHost(written);
  if (parseCidr(written, { missing: "whole" }) !== undefined) {
    return problem(`"${written}" is an address: write it without "${mark}"`);
  }
  if (!isName(name)) {
    const bare = written.replace(/^(?:\*?\.)+/, "").replace(/[\^/].*$/, "");
    const hint = bare !== written && isName(canonicalHost(bare))
      ? `: write ||${bare}`
      : "";
    return problem(`"${written}" is not a host name${hint}`, mark.length);
  }
  const flags = isSuffix ? NAME_ITSELF | NAME_BELOW : NAME_ITSELF;
  return { kind: "name", name, flags };
}

function isName(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && NAME_REGEXP.test(name);
}

function readNetwork(text: string): Rule | RuleProblem | undefined {
  if (!ADDRESS_REGEXP.test(text)) return undefined;
  const network = parseCidr(text, { missing: "whole" });
  return network === undefined
    ? problem(`"${text}" is not an address or a network such as 10.0.0.0/8`)
    : { kind: "network", network };
}

/** What is certainly no rule, though it could be read as an expression. */
function notARule(text: string): string | undefined {
  if (/\s/.test(text)) return "a rule has no spaces: write one rule a line";
  const url = /^[a-z][a-z0-9+.-]*:\/\/([^/:?]+)/i.exec(text)?.[1];
  if (url !== undefined) return `a rule is not a URL: write ||${url}`;
  if (text.startsWith("*.")) {
    return `"*" has nothing to repeat: write ||${text.slice(2)}`;
  }
  if (PORT_REGEXP.test(text)) return "a rule has no port";
  const slash = text.search(/(?<!\\)\//);
  if (slash >= 0) {
    const host = text.slice(0, slash);
    const hint = isName(host)
      ? `write ||${host}`
      : "write 10.0.0.0/8 or a name";
    return `a rule is neither a path nor a URL: ${hint}`;
  }
  return undefined;
}

function readPattern(text: string): Rule | RuleProblem {
  if (!isAscii(text)) {
    const example = canonicalHost(text);
    const hint = isName(example)
      ? `write ||${example}, or |${example} for this name alone`
      : "write names in their form that begins with xn--";
    return problem(`an expression has only ASCII characters: ${hint}`);
  }
  const pattern = parsePattern(text);
  if (pattern.kind === "problem") {
    const { at, message } = pattern;
    return problem(`cannot read the expression "${text}": ${message}`, at);
  }
  return { kind: "pattern", pattern };
}

function problem(message: string, at = 0): RuleProblem {
  return { kind: "problem", at, message };
}
