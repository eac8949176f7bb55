/**
 * A system of files in memory for the tests of this folder.
 *
 * @module
 */

import { formatHostPort } from "../loop/mod.ts";
import { type ConfigResult, readConfig } from "./read_config.ts";
import type { ConfigSource } from "./source.ts";
import type { Config, LocalConfig, Role, ServerConfig } from "./types.ts";

/** What a test starts with. */
export interface Start {
  readonly role?: Role;
  readonly files?: Readonly<Record<string, string>>;
  readonly mode?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly isUnix?: boolean;
  readonly checkAcl?: ConfigSource["checkAcl"];
  readonly hasFolderOf?: ConfigSource["hasFolderOf"];
  readonly hasUser?: ConfigSource["hasUser"];
}

/**
 * Reads a command line.
 *
 * @param line The words, with a space between them.
 * @param start The files and the rest of the system.
 * @returns The result.
 */
export async function read(
  line: string,
  start: Start = {},
): Promise<ConfigResult> {
  const { role = "ssserver", files = {}, mode = 0o600, env = {} } = start;
  const source: ConfigSource = {
    readTextFile(path): string {
      const text = files[path];
      if (text !== undefined) return text;
      throw Object.assign(new Error("No such file (os error 2)"), {
        name: "NotFound",
      });
    },
    fileMode: () => mode,
    env: (name) => env[name],
    isUnix: start.isUnix ?? true,
    ...(start.checkAcl && { checkAcl: start.checkAcl }),
    ...(start.hasFolderOf && { hasFolderOf: start.hasFolderOf }),
    ...(start.hasUser && { hasUser: start.hasUser }),
  };
  const args = line.split(" ").filter((word) => word !== "");
  return await readConfig(args, { role, source });
}

/**
 * Reads a command line that is good.
 *
 * @param line The words, with a space between them.
 * @param start The files and the rest of the system.
 * @returns The configuration.
 * @throws {TypeError} If it is not good.
 */
export async function readGood(
  line: string,
  start: Start = {},
): Promise<Config> {
  const result = await read(line, start);
  if (result.kind === "config") return result.config;
  throw new TypeError(`Cannot read ${line}: ${JSON.stringify(result)}`);
}

/** The texts of the issues of a command line that is not good. */
export async function readIssues(
  line: string,
  start: Start = {},
): Promise<string[]> {
  const result = await read(line, start);
  if (result.kind !== "error") throw new TypeError(`${line} is good`);
  return result.messages.filter(({ level }) => level === "error")
    .map(({ text }) => text);
}

/** The texts of the warnings of a command line that is good. */
export async function readWarnings(
  line: string,
  start: Start = {},
): Promise<string[]> {
  const result = await read(line, start);
  if (result.kind !== "config") throw new TypeError(JSON.stringify(result));
  return result.warnings.filter(({ level }) => level === "warning")
    .map(({ text }) => text);
}

/** A server with its defaults. */
export function serverOf(values: Partial<ServerConfig> = {}): ServerConfig {
  const { host = "0.0.0.0", port = 8388 } = values;
  return {
    name: formatHostPort({ host, port }),
    host,
    port,
    method: "aes-256-gcm",
    password: "a-long-password",
    users: [],
    reject: values.method?.startsWith("2022-") ? "reset" : "silent",
    fallback: undefined,
    mode: "tcp_and_udp",
    timeout: 300,
    fastOpen: false,
    oneTimeAuth: false,
    tcpWeight: 1,
    udpWeight: 1,
    proxy: [],
    acl: undefined,
    ...values,
  };
}

/** A local with its defaults. */
export function localOf(values: Partial<LocalConfig> = {}): LocalConfig {
  return {
    protocol: "mixed",
    address: "127.0.0.1",
    port: 1080,
    mode: "tcp_and_udp",
    forward: undefined,
    users: [],
    acl: undefined,
    outbound: undefined,
    ...values,
  };
}
