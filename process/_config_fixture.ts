/**
 * Configurations and logs for the tests of this folder.
 *
 * @module
 */

import { type Config, readConfig, type Role } from "../config/mod.ts";
import type { ProcessOutput } from "./output.ts";

/**
 * Makes a configuration that listens on a loopback port of the system's
 * choice.
 *
 * @param role The role.
 * @param values What differs from the defaults.
 * @returns The configuration.
 */
export function testConfig(role: Role, values: Partial<Config> = {}): Config {
  const result = readConfig(
    ["-s", "127.0.0.1", "-p", "1", "-k", "correct horse battery staple"],
    {
      role,
      source: {
        readTextFile: (): never => {
          throw new Deno.errors.NotFound();
        },
      },
    },
  );
  if (result.kind !== "config") throw new Error("Cannot make test config");
  const ports = role === "sslocal" ? { localPort: 0 } : { serverPort: [0] };
  return { ...result.config, ...ports, ...values };
}

/** An output that keeps the lines. */
export class KeptOutput implements ProcessOutput {
  /** What was written. */
  text = "";

  /** Keeps a text. */
  write(text: string): void {
    this.text += text;
  }

  /** Nothing is to do. */
  reopen(): boolean {
    return true;
  }
}
