/**
 * Configurations and outputs for the tests of this folder.
 *
 * @module
 */

import type { Config, Role } from "../config/mod.ts";
import { type ConfigKeys, makeConfig } from "../tests/support/mod.ts";
import type { ProcessOutput } from "./output.ts";

/** The method of {@linkcode testConfig}. */
export const METHOD = "aes-256-gcm";

/**
 * Makes a configuration that listens on loopback ports of the system's choice.
 *
 * @param role The role.
 * @param keys What differs from the defaults.
 * @returns The configuration.
 */
export function testConfig(role: Role, keys: ConfigKeys = {}): Config {
  return makeConfig(role, { method: METHOD, ...keys });
}

/** An output that keeps the lines. */
export class KeptOutput implements ProcessOutput {
  /** There is no file. */
  readonly path = undefined;
  /** What was written. */
  text = "";

  /** Keeps a text. */
  write(text: string): void {
    this.text += text;
  }

  /** Nothing is to do. */
  reopen(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}
