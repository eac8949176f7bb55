/**
 * From the command line and the file to one checked configuration.
 *
 * @module
 */

import { Draft } from "./_draft.ts";
import { findKey, type KeyRow } from "./_keys.ts";
import { type OptionRow, optionsOf } from "./_options.ts";
import { ConfigSyntaxError } from "./_place.ts";
import { applyRules, toConfig } from "./_rules.ts";
import { applyText } from "./_text.ts";
import { getopt, type Given } from "./getopt.ts";
import { type Issue, issue, type Notice, warning } from "./notice.ts";
import type { Config, Role } from "./types.ts";
import { usageText, versionText } from "./usage.ts";

/** What the reader needs of the system; the caller gives it. */
export interface ConfigSource {
  /**
   * Reads a whole file as UTF-8.
   *
   * @throws {Error} If it cannot; one named `NotFound` if there is no file.
   */
  readTextFile(path: string): string;
  /** The permission bits of a file; undefined where there are none. */
  fileMode?(path: string): number | undefined;
  /** The value of an environment variable. */
  env?(name: string): string | undefined;
  /** Whether users and groups are those of Unix; default true. */
  readonly isUnix?: boolean;
}

/**
 * What became of the command line. `messages` come before the log is set up,
 * `warnings` are for the log.
 */
export type ConfigResult =
  | {
    /** `checked` with `--check`: nothing is to be started. */
    readonly kind: "config" | "checked";
    readonly config: Config;
    readonly messages: readonly Notice[];
    readonly warnings: readonly Notice[];
  }
  | { readonly kind: "help" | "version"; readonly text: string }
  | {
    readonly kind: "error";
    /** In the order of printing. */
    readonly messages: readonly Notice[];
    /** Printed after the messages. */
    readonly usage: string | undefined;
    readonly exitCode: 1 | 2;
  };

/** What is looked for when no file is named. */
const IMPLICIT_PATHS: readonly string[] = ["config.json", "config.toml"];

/** Far more than a configuration has, and less than what would stall. */
const MAX_FILE_LENGTH = 1 << 20;

/** Bits of a file's mode: others may read it. */
const OTHERS_READ = 0o004;

/** The environment variable of a password that stands nowhere else. */
const PASSWORD_VARIABLE = "SS_PASSWORD";

/**
 * Reads the configuration of a process. The command line wins over the file.
 *
 * @param args The words after the program's name.
 * @param options The role, and what the system gives.
 * @returns The configuration, or what to print and how to exit.
 */
export function readConfig(
  args: readonly string[],
  options: { readonly role: Role; readonly source: ConfigSource },
): ConfigResult {
  const { role, source } = options;
  const found = getopt(args, optionsOf(role));
  if (found.kind === "error") {
    return failure([], [usageIssue(found.message)], role);
  }
  const { given } = found;
  const acts = given.map((each) => each.option.effect.kind);
  const asked = acts.find((kind) => kind === "help" || kind === "version");
  if (asked === "help") return { kind: "help", text: usageText(role) };
  if (asked === "version") return { kind: "version", text: versionText() };

  const draft = new Draft();
  const messages: Notice[] = [];
  const path = given.findLast((each) => each.option.effect.kind === "config");
  applyFile(draft, messages, { path: path?.value, source });
  if (draft.isUnread) return failure(messages, draft.issues, role);
  applyOptions(draft, given);
  if (draft.issues.length === 0) {
    if (draft.isEmpty) {
      const nothing = issue("config not specified", {
        exitCode: 2,
        usage: true,
      });
      return failure(messages, [nothing], role);
    }
    applyEnvironment(draft, source);
  }
  applyRules(draft, { role, isUnix: source.isUnix ?? true });
  if (draft.issues.length > 0) return failure(messages, draft.issues, role);
  return {
    kind: acts.includes("check") ? "checked" : "config",
    config: toConfig(draft.settings, role),
    messages,
    warnings: draft.warnings,
  };
}

function usageIssue(text: string): Issue {
  return issue(text, { style: "plain", exitCode: 2 });
}

function failure(
  before: readonly Notice[],
  issues: readonly Issue[],
  role: Role,
): ConfigResult {
  return {
    kind: "error",
    messages: [...before, ...issues],
    usage: issues.some((each) => each.usage) ? usageText(role) : undefined,
    exitCode: issues[0]?.exitCode ?? 1,
  };
}

function applyFile(
  draft: Draft,
  messages: Notice[],
  { path, source }: { path: string | undefined; source: ConfigSource },
): void {
  const file = path === undefined
    ? findImplicit(draft, source)
    : readFile(draft, { path, source });
  if (file === undefined) return;
  messages.push({
    level: "info",
    style: "early",
    text: `loading config from ${file.path}`,
  });
  try {
    applyText(draft, { ...file, strict: true, forPort: false });
  } catch (error) {
    if (!(error instanceof ConfigSyntaxError)) throw error;
    draft.issues.push(issue(error.message));
    draft.isUnread = true;
    return;
  }
  const { password, portPassword } = draft.settings;
  const hasSecret = password !== undefined || portPassword !== undefined;
  const mode = source.fileMode?.(file.path) ?? 0;
  if (hasSecret && (mode & OTHERS_READ) !== 0) {
    draft.warnings.push(
      warning(
        `warning: ${file.path} holds a password and everybody on this ` +
          `machine can read it; use: chmod 600 ${file.path}`,
      ),
    );
  }
}

function findImplicit(
  draft: Draft,
  source: ConfigSource,
): { path: string; text: string } | undefined {
  for (const path of IMPLICIT_PATHS) {
    const file = readFile(draft, { path, source, isOptional: true });
    if (file !== undefined || draft.issues.length > 0) return file;
  }
  return undefined;
}

function readFile(
  draft: Draft,
  { path, source, isOptional = false }: {
    path: string;
    source: ConfigSource;
    isOptional?: boolean;
  },
): { path: string; text: string } | undefined {
  let reason: string;
  try {
    const text = source.readTextFile(path);
    if (text.length <= MAX_FILE_LENGTH) return { path, text };
    reason = "it is larger than 1 MiB, which no configuration is";
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (isOptional && name === "NotFound") return undefined;
    reason = REASONS[name] ?? "the system cannot read it";
  }
  draft.isUnread = true;
  draft.issues.push(issue(`Cannot read config ${path}: ${reason}`));
  return undefined;
}

const REASONS: Readonly<Record<string, string>> = {
  NotFound: "no such file",
  PermissionDenied: "permission denied",
  NotCapable: "permission denied; run with --allow-read",
  IsADirectory: "it is a directory",
};

function applyOptions(
  draft: Draft,
  given: readonly Given<OptionRow>[],
): void {
  let verbosity: number | undefined;
  for (const { option, name, value } of given) {
    const { effect } = option;
    if (effect.kind === "verbosity") {
      verbosity = (verbosity ?? 0) + effect.step;
    } else if (effect.kind === "value" || effect.kind === "constant") {
      draft.apply(
        keyRow(effect.key),
        effect.kind === "value" ? value : effect.value,
        {
          name: `option ${name}`,
          place: () => "",
          style: { style: "plain", exitCode: 2 },
        },
      );
    }
  }
  if (verbosity === undefined) return;
  draft.settings.verbose = verbosity;
  draft.isEmpty = false;
}

/** The tables of options and keys belong together. */
function keyRow(key: string): KeyRow {
  const row = findKey(key);
  if (typeof row === "object") return row;
  throw new TypeError(`Cannot apply option: no key "${key}"`);
}

function applyEnvironment(draft: Draft, source: ConfigSource): void {
  const { password, portPassword, managerAddress } = draft.settings;
  const isNeeded = password === undefined && portPassword === undefined &&
    managerAddress === undefined;
  const value = isNeeded ? source.env?.(PASSWORD_VARIABLE) : undefined;
  if (value === undefined || value === "") return;
  draft.apply(keyRow("password"), value, {
    name: `environment variable ${PASSWORD_VARIABLE}`,
    place: () => "",
    style: {},
  });
}
