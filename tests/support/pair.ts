/**
 * Our server and our local as two processes that belong together.
 *
 * @module
 */

import type { ConfigFormat, ConfigValues } from "./config_file.ts";
import { type NativeLibraries, type RoleProcess, spawnRole } from "./role.ts";

/** What both sides of a pair agree on. */
export interface PairOptions {
  /** Default `aes-256-gcm`. */
  readonly method?: string;
  /** The language of both files, default TOML. */
  readonly format?: ConfigFormat;
  /** Which native libraries both find, default all. */
  readonly libraries?: NativeLibraries;
  /** Keys for both. */
  readonly both?: ConfigValues;
  /** Keys of the defaults that neither gets. */
  readonly omit?: readonly string[];
  /** Keys for the server alone. */
  readonly server?: ConfigValues;
  /** Keys for the local alone. */
  readonly local?: ConfigValues;
}

/** A server and a local that uses it. */
export interface Pair extends AsyncDisposable {
  /** The `ssserver`. */
  readonly server: RoleProcess;
  /** The `sslocal`. */
  readonly local: RoleProcess;
}

/** The password of every pair unless a test says otherwise. */
export const PASSWORD = "correct horse battery staple";

/**
 * Starts a server that may reach loopback, and a local that uses it.
 *
 * @param options What differs from the defaults.
 * @returns Both processes, listening.
 */
export async function spawnPair(options: PairOptions = {}): Promise<Pair> {
  const common: ConfigValues = {
    password: PASSWORD,
    method: options.method ?? "aes-256-gcm",
    ...options.both,
  };
  const how = {
    format: options.format ?? "toml",
    libraries: options.libraries ?? "all",
  } as const;
  await using stack = new AsyncDisposableStack();
  const server = stack.use(
    await spawnRole("ssserver", {
      ...how,
      config: without(options.omit, {
        server: "127.0.0.1",
        server_port: 0,
        forbidden_ip: "",
        ...common,
        ...options.server,
      }),
    }),
  );
  const local = stack.use(
    await spawnRole("sslocal", {
      ...how,
      config: without(options.omit, {
        server: "127.0.0.1",
        server_port: server.port,
        local_address: "127.0.0.1",
        local_port: 0,
        ...common,
        ...options.local,
      }),
    }),
  );
  const kept = stack.move();
  return {
    server,
    local,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function without(
  keys: readonly string[] | undefined,
  values: ConfigValues,
): ConfigValues {
  return Object.fromEntries(
    Object.entries(values).filter(([key]) => !keys?.includes(key)),
  );
}
