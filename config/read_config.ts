/**
 * From the command line and the file to one checked configuration.
 *
 * @module
 */

import { findMethod } from "../crypto/methods.ts";
import { buildConfig } from "./parts/_build.ts";
import { noteFor } from "./parts/_secrets.ts";
import { DEFAULT_METHOD } from "./parts/_servers.ts";
import { isOf2022 } from "./readers/_psk.ts";
import { Context, readFailure } from "./_context.ts";
import { FileValues, warnOfMode } from "./_file_values.ts";
import { Findings, placed } from "./_findings.ts";
import { TOP, type TopKeys } from "./keys/_keys.ts";
import { type OptionRow, optionsOf } from "./_options.ts";
import { ConfigSyntaxError, lineColumn, type Spot } from "./formats/_place.ts";
import { isTable } from "./keys/_shape.ts";
import { Table } from "./_table.ts";
import { type Document, readDocument } from "./formats/_document.ts";
import { getopt, type Given } from "./getopt.ts";
import { type Issue, issue, type Notice, withAdvice } from "./notice.ts";
import type { ConfigSource } from "./source.ts";
import type { Config, Role } from "./types.ts";

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
    /** Printed before the messages, so that they are not out of sight. */
    readonly usage: string | undefined;
    readonly exitCode: 1 | 2;
  };

/** What is looked for when no file is named. */
const IMPLICIT_PATHS: readonly string[] = ["config.json", "config.toml"];

/** Far more than a configuration has, and less than what would stall. */
const MAX_FILE_LENGTH = 1 << 20;

/** The environment variable of a password that stands nowhere else. */
const PASSWORD_VARIABLE = "SS_PASSWORD";

/**
 * Reads the configuration of a process. The command line wins over the file.
 *
 * @param args The words after the program's name.
 * @param options The role, and what the system gives.
 * @returns The configuration, or what to print and how to exit.
 */
export async function readConfig(
  args: readonly string[],
  options: { readonly role: Role; readonly source: ConfigSource },
): Promise<ConfigResult> {
  const { role, source } = options;
  const found = getopt(args, optionsOf(role));
  if (found.kind === "error") {
    const wrong = issue(found.message, { style: "plain", exitCode: 2 });
    return await failure([], [wrong], role);
  }
  const { given } = found;
  const acts = given.map((each) => each.option.effect.kind);
  const asked = acts.find((kind) => kind === "help" || kind === "version");
  if (asked === "help" || asked === "version") {
    const { usageText, versionText } = await import("./usage.ts");
    const text = asked === "help" ? usageText(role) : versionText();
    return { kind: asked, text };
  }

  const named = given.findLast((each) => each.option.effect.kind === "config");
  const file = findFile(named?.value, source);
  if (typeof file === "string") return await failure([], [issue(file)], role);
  const messages: Notice[] = file === undefined ? [] : [{
    level: "info",
    style: "log",
    text: `loading config from ${file.path}`,
  }];
  const document = file && await readTable(file);
  if (typeof document === "string") {
    return await failure(messages, [issue(document)], role);
  }

  const findings = new Findings();
  const context = new Context(role, source, findings, file?.path);
  const values = new FileValues(source, findings, !isStop(given));
  const top = new Table<TopKeys>(TOP, findings, { file: values });
  if (file !== undefined && document !== undefined) {
    top.read(document.table, { strict: true, forPort: false });
    if (values.holdsSecret) warnOfMode(file.path, source, findings);
  }
  await applyOptions(given, { top, findings });
  if (findings.issues.length === 0) {
    if (top.isEmpty) return await failure(messages, [noConfig(file)], role);
    applyEnvironment(top, source);
  }
  if (
    file !== undefined && document !== undefined && findings.issues.length > 0
  ) {
    const { foreignProgram } = await import("./formats/_foreign.ts");
    const what = foreignProgram(document.table);
    if (what !== undefined) {
      const wrong = issue(`${file.path}:${firstPlace(file.text)}: ${what}`);
      return await failure(messages, [wrong], role);
    }
  }
  const config = buildConfig(top, context);
  if (!isStop(given)) warnOfShown(given, config.method, findings);
  await context.checkAcls();
  await checkSystem(top, context);
  const place = await placer(findings, { file, document });
  const issues = placed(findings.issues, place);
  const warnings = placed(findings.warnings, place);
  if (issues.length > 0) {
    return await failure([...messages, ...warnings], issues, role);
  }
  if (!acts.includes("check")) {
    return { kind: "config", config, messages, warnings };
  }
  const { usersNotice } = await import("./parts/_users_notice.ts");
  const users = usersNotice(config);
  return {
    kind: "checked",
    config,
    messages: users === undefined ? messages : [...messages, users],
    warnings,
  };
}

/** Checks that the system has what the start will need. */
async function checkSystem(
  top: Table<TopKeys>,
  context: Context,
): Promise<void> {
  const { access_log, user, daemon } = top.values;
  if (daemon === "stop") return;
  const file = access_log?.values.file;
  context.checkFolder(file, "access_log", access_log?.at("file"));
  if (daemon !== undefined) {
    for (const key of ["log-file", "pid-file"] as const) {
      context.checkFolder(top.values[key], key, top.at(key));
    }
  }
  await context.checkUser(user, top.at("user"));
}

/** Scripts know the line of a start with nothing; a file can be named. */
function noConfig(file: File | undefined): Issue {
  const text = "config not specified";
  return file === undefined
    ? issue(text, { style: "early", exitCode: 2, usage: true })
    : issue(`${text}: ${file.path} holds no settings`, { exitCode: 2 });
}

async function failure(
  before: readonly Notice[],
  issues: readonly Issue[],
  role: Role,
): Promise<ConfigResult> {
  let usage: string | undefined;
  if (issues.some((each) => each.usage)) {
    const { shortUsage } = await import("./usage.ts");
    usage = shortUsage(role);
  }
  return {
    kind: "error",
    messages: [...before, ...issues.flatMap(withAdvice)],
    usage,
    exitCode: issues[0]?.exitCode ?? 1,
  };
}

interface File {
  readonly path: string;
  readonly text: string;
}

/** The file, undefined if there is none, or why it cannot be read. */
function findFile(
  path: string | undefined,
  source: ConfigSource,
): File | string | undefined {
  for (const each of path === undefined ? IMPLICIT_PATHS : [path]) {
    try {
      const text = source.readTextFile(each);
      if (text.length <= MAX_FILE_LENGTH) return { path: each, text };
      return `Cannot read config ${each}: it is larger than 1 MiB, which no ` +
        "configuration is";
    } catch (error) {
      const isMissing = error instanceof Error && error.name === "NotFound";
      if (path === undefined && isMissing) continue;
      return `Cannot read config ${each}: ${readFailure(error)}`;
    }
  }
  return undefined;
}

interface TableDocument extends Document {
  readonly table: Readonly<Record<string, unknown>>;
}

/** The table in a file, or why there is none. */
async function readTable(file: File): Promise<TableDocument | string> {
  const { path, text } = file;
  try {
    const document = await readDocument(text, path);
    const { values } = document;
    if (isTable(values)) return { ...document, table: values };
    return `${path}:${firstPlace(text)}: ` +
      (Array.isArray(values)
        ? 'this is a list: write { "servers": [ … ] } around the servers in it'
        : "expected the keys of a configuration in { }");
  } catch (error) {
    if (!(error instanceof ConfigSyntaxError)) throw error;
    const { foreignFormat } = await import("./formats/_foreign.ts");
    const { offset, message } = foreignFormat(text) ?? error;
    return `${path}:${lineColumn(text, offset)}: ${message}`;
  }
}

/** Line and column of what is not blank. */
function firstPlace(text: string): string {
  return lineColumn(text, Math.max(0, text.search(/\S/)));
}

/** Makes the places of notices, if there are any to be made. */
async function placer(
  findings: Findings,
  { file, document }: {
    file: File | undefined;
    document: Document | undefined;
  },
): Promise<(spot: Spot) => string> {
  if (file === undefined || document === undefined || !findings.needPlaces) {
    return () => "";
  }
  const locator = await document.locate();
  return (spot) =>
    `${file.path}:${lineColumn(file.text, locator.offsetOf(spot))}: `;
}

/** Whether a daemon is to be stopped, which needs no passwords. */
function isStop(given: readonly Given<OptionRow>[]): boolean {
  return given.some(({ option: { effect }, value }) =>
    effect.kind === "value" && effect.key === "daemon" && value === "stop"
  );
}

/**
 * Warns, once, of a password among the arguments, which other users of the
 * machine can list.
 */
function warnOfShown(
  given: readonly Given<OptionRow>[],
  method: string,
  findings: Findings,
): void {
  const shown = given.filter(({ option: { effect } }) =>
    effect.kind === "link" ||
    effect.kind === "value" && effect.key === "password"
  );
  if (shown.length === 0) return;
  const text = "a password on the command line can be read by everybody on " +
    'this machine: use "password_file" or ${NAME} in a file, or SS_PASSWORD';
  findings.note(noteFor(method, text));
  if (!shown.some(({ value }) => /\$\{\w+\}/.test(value ?? ""))) return;
  findings.warn(
    "${NAME} is a variable in a file only: on the command line it is a part " +
      "of the password as it stands",
  );
}

async function applyOptions(
  given: readonly Given<OptionRow>[],
  { top, findings }: { top: Table<TopKeys>; findings: Findings },
): Promise<void> {
  let verbosity: number | undefined;
  for (const { option, name, value } of given) {
    const { effect } = option;
    if (effect.kind === "verbosity") {
      verbosity = (verbosity ?? 0) + effect.step;
    } else if (effect.kind === "link") {
      await applyLink(value, { top, findings });
    } else if (effect.kind === "value" || effect.kind === "constant") {
      top.set(effect.key, effect.kind === "value" ? value : effect.value, {
        name: `option ${name}`,
        path: undefined,
        style: { exitCode: 2 },
      });
    }
  }
  if (verbosity === undefined) return;
  top.set("verbose", verbosity, { name: "option -v", path: undefined });
}

/** Sets what a link says; the options after it win. */
async function applyLink(
  link: string,
  { top, findings }: { top: Table<TopKeys>; findings: Findings },
): Promise<void> {
  const { readServerUrl } = await import("./_server_url.ts");
  const values = readServerUrl(link);
  const name = "option --server-url";
  const refuse = (text: string): void =>
    findings.refuse(`${name}: ${text}`, undefined, { exitCode: 2 });
  if (typeof values === "string") {
    top.isEmpty = false;
    // What the link was to give is not missed beside it.
    for (const key of LINK_KEYS) top.refused.add(key);
    return refuse(values);
  }
  const { plugin, ...keys } = values;
  if (plugin !== undefined) {
    refuse(
      "the link names a plugin, which is not available in this version: " +
        "without it the server would not understand",
    );
  }
  for (const key of LINK_KEYS) {
    top.set(key, keys[key], { name, path: undefined });
  }
}

const LINK_KEYS = ["server", "server_port", "method", "password"] as const;

function applyEnvironment(top: Table<TopKeys>, source: ConfigSource): void {
  const { password, port_password, manager_address, users, method } =
    top.values;
  // With users of older methods a password would let in one more, nameless.
  const isUsers = users !== undefined && users.length > 0 &&
    !isOf2022(findMethod(method ?? DEFAULT_METHOD));
  const isNeeded = password === undefined && port_password === undefined &&
    manager_address === undefined && !isUsers;
  const value = isNeeded ? source.env?.(PASSWORD_VARIABLE) : undefined;
  if (value === undefined || value === "") return;
  top.set("password", value, {
    name: `environment variable ${PASSWORD_VARIABLE}`,
    path: undefined,
  });
}
