/**
 * The options of the command line, by role: those that set a key come from the
 * rows of the keys, the rest stands here.
 *
 * @module
 */

import { CLIENTS, TOP, type TopKeys } from "./keys/_keys.ts";
import type { Key, KeyOption } from "./keys/_shape.ts";
import type { Option } from "./getopt.ts";
import type { Role } from "./types.ts";

/** An option and what it does. */
export interface OptionRow extends Option {
  /** What it does: sets a key to its value or to a constant, or acts. */
  readonly effect:
    | { readonly kind: "value"; readonly key: keyof TopKeys }
    | {
      readonly kind: "constant";
      readonly key: keyof TopKeys;
      readonly value: unknown;
    }
    | { readonly kind: "verbosity"; readonly step: 1 | -1 }
    | { readonly kind: "config" | "link" | "check" | "help" | "version" };
  /** The two columns of the usage text; without them it is not shown. */
  readonly help?: readonly [left: string, right: string];
  /** The part of the usage text. */
  readonly section: "proxy" | "general";
}

const CONFIG: OptionRow = {
  ...act("config", "file with the settings, JSON or TOML"),
  short: "c",
  takesValue: true,
  help: ["-c, --config=CONFIG", "file with the settings, JSON or TOML"],
  section: "proxy",
};

const LINK: OptionRow = {
  long: "server-url",
  bare: /^ss:\/\//,
  takesValue: true,
  effect: { kind: "link" },
  help: [
    "--server-url=URL",
    "an ss:// link in place of -s, -p, -m and -k; it may stand alone; others " +
    "can see it",
  ],
  section: "proxy",
};

const HELP: OptionRow = {
  ...act("help", ""),
  short: "h",
  help: ["-h, --help", "show this text and exit"],
};

const VERBOSITY: readonly OptionRow[] = [
  {
    short: "v",
    takesValue: false,
    effect: { kind: "verbosity", step: 1 },
    help: ["-v, -vv", "log more: DEBUG, or VERBOSE too"],
    section: "general",
  },
  {
    short: "q",
    takesValue: false,
    effect: { kind: "verbosity", step: -1 },
    help: ["-q, -qq", "log less: warnings, or errors only"],
    section: "general",
  },
];

/**
 * The options of a role.
 *
 * @param role What the program is started as.
 * @returns The options in the order of the usage text.
 */
export function optionsOf(role: Role): readonly OptionRow[] {
  const rows: OptionRow[] = [];
  for (const [name, key] of Object.entries(TOP.keys)) {
    rows.push(...rowsOf(name as keyof TopKeys, key, role));
  }
  return [
    CONFIG,
    ...CLIENTS.includes(role) ? [LINK] : [],
    ...rows.filter(({ section }) => section === "proxy"),
    HELP,
    ...rows.filter(({ section }) => section === "general"),
    ...VERBOSITY,
    act("check", "check the configuration and exit"),
    act("version", "show the version and exit"),
  ];
}

function rowsOf(
  name: keyof TopKeys,
  key: Key<unknown>,
  role: Role,
): OptionRow[] {
  return (key.options ?? [])
    .filter((option) => (option.roles ?? key.roles)?.includes(role) ?? true)
    .map((option) => rowOf(name, key, option));
}

function rowOf(
  name: keyof TopKeys,
  key: Key<unknown>,
  option: KeyOption,
): OptionRow {
  const isShort = option.name.length === 1;
  const takesValue = option.argument !== undefined;
  const row: OptionRow = {
    ...(isShort ? { short: option.name } : { long: option.name }),
    takesValue,
    effect: takesValue
      ? { kind: "value", key: name }
      : { kind: "constant", key: name, value: option.sets ?? true },
    section: key.general ? "general" : "proxy",
  };
  if (option.hidden) return row;
  const dashes = isShort ? "-" : "--";
  const argument = takesValue ? `${isShort ? " " : "="}${option.argument}` : "";
  // Options without a value are off by default: there is nothing to say.
  const usual = key.usual === undefined || !takesValue
    ? ""
    : `; default: ${key.usual}`;
  const right = option.help ?? `${key.meaning}${usual}`.replaceAll("`", "");
  return { ...row, help: [`${dashes}${option.name}${argument}`, right] };
}

function act(
  kind: "config" | "check" | "help" | "version",
  right: string,
): OptionRow {
  return {
    long: kind,
    takesValue: false,
    effect: { kind },
    help: [`--${kind}`, right],
    section: "general",
  };
}
