/**
 * A system of files in memory for the tests of this folder.
 *
 * @module
 */

import {
  type ConfigResult,
  type ConfigSource,
  readConfig,
} from "./read_config.ts";
import type { Config, Role } from "./types.ts";

/** What a test starts with. */
export interface Start {
  readonly role?: Role;
  readonly files?: Readonly<Record<string, string>>;
  readonly mode?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly isUnix?: boolean;
}

/**
 * Reads a command line.
 *
 * @param line The words, with a space between them.
 * @param start The files and the rest of the system.
 * @returns The result.
 */
export function read(line: string, start: Start = {}): ConfigResult {
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
  };
  const args = line.split(" ").filter((word) => word !== "");
  return readConfig(args, { role, source });
}

/**
 * Reads a command line that is good.
 *
 * @param line The words, with a space between them.
 * @param start The files and the rest of the system.
 * @returns The configuration.
 * @throws {TypeError} If there is none.
 */
export function readGood(line: string, start: Start = {}): Config {
  const result = read(line, start);
  if (result.kind === "config") return result.config;
  throw new TypeError(`Cannot read ${line}: ${JSON.stringify(result)}`);
}
