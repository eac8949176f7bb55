/**
 * The users of a local: those of the configuration, and those of the files
 * that shadowsocks-rust reads.
 *
 * ```json
 * {"password": {"users": [{"user_name": "a", "password": "b"}]}}
 * {"basic": {"users": [{"user_name": "a", "password": "b"}]}}
 * ```
 *
 * The first is that of `socks5_auth_config_path`, the second that of
 * `http_auth_config_path`.
 *
 * @module
 */

import { shown } from "../_shown.ts";
import type { Context } from "../_context.ts";
import { parseJson } from "../formats/_json.ts";
import type { LocalKeys } from "../keys/_local_keys.ts";
import type { Spot } from "../formats/_place.ts";
import { isTable, type Section } from "../keys/_shape.ts";
import { isLongCredential, MAX_CREDENTIAL } from "../readers/_readers.ts";
import type { UserConfig } from "../types.ts";

/** The keys that name a file, and where the users are in it. */
const FILES = [
  ["socks5_auth_config_path", "password"],
  ["http_auth_config_path", "basic"],
] as const;

/**
 * Reads the users of a local.
 *
 * @param local The local.
 * @param label What messages call it.
 * @param context Reads files, takes what is wrong.
 * @returns The users; empty: everybody.
 */
export function usersOf(
  local: Section<LocalKeys>,
  label: string,
  context: Context,
): UserConfig[] {
  const users = new Map<string, UserConfig>();
  const add = (user: UserConfig, at: Spot | undefined, from: string): void => {
    const problem = problemOf(user, users, label);
    if (problem === undefined) users.set(user.name, user);
    else context.findings.refuse(`${from}${problem}`, at);
  };
  for (const section of local.values.users ?? []) {
    const { name, password } = section.values;
    if (name !== undefined && password !== undefined) {
      add({ name, password }, section.at("name"), "");
    } else if (section.lacks("name") || section.lacks("password")) {
      context.findings.refuse(
        'a user needs "name" and "password"',
        section.spot,
      );
    }
  }
  for (const [key, kind] of FILES) {
    const path = local.values[key];
    if (path === undefined) continue;
    for (const user of readUsers(path, { kind, at: local.at(key), context })) {
      add(user, local.at(key), `${path}: `);
    }
  }
  return [...users.values()];
}

/** What is wrong with a user; undefined: nothing. */
function problemOf(
  { name, password }: UserConfig,
  others: ReadonlyMap<string, UserConfig>,
  label: string,
): string | undefined {
  const what = shown(name);
  if (others.has(name)) {
    return `user ${what} of ${label} is given twice: give each another name`;
  }
  if (name.includes(":")) {
    // What comes after it may be meant as the password.
    return `a user of ${label} has a ":" in its name, which HTTP cannot carry`;
  }
  return [name, password].some(isLongCredential)
    ? `user ${what} of ${label}: name and password have at most ` +
      `${MAX_CREDENTIAL} bytes each`
    : undefined;
}

function readUsers(
  path: string,
  { kind, at, context }: {
    kind: "password" | "basic";
    at: Spot | undefined;
    context: Context;
  },
): UserConfig[] {
  const file = context.readFile(path, "users", at);
  if (file === undefined) return [];
  const values = parseJson(file.text)?.values;
  const inner = isTable(values) ? values[kind] : undefined;
  const list = isTable(inner) ? inner.users : undefined;
  const users = Array.isArray(list) ? list.map(userOf) : [];
  const good = users.filter((user) => user !== undefined);
  if (good.length > 0 && good.length === users.length) return good;
  context.findings.refuse(
    `Cannot read users ${path}: expected {"${kind}": {"users": ` +
      '[{"user_name": "…", "password": "…"}]}}',
    at,
  );
  return [];
}

function userOf(value: unknown): UserConfig | undefined {
  if (!isTable(value)) return undefined;
  const { user_name: name, password } = value;
  const isWhole = typeof name === "string" && name !== "" &&
    typeof password === "string" && password !== "";
  return isWhole ? { name, password } : undefined;
}
