/**
 * The settings that were given, before defaults and rules apply.
 *
 * @module
 */

import type { Config, HostPort } from "./types.ts";

/** Fields of a configuration that are settings; a missing one was not given. */
export interface Settings extends
  Partial<
    Omit<
      { -readonly [Field in keyof Config]: NonNullable<Config[Field]> },
      "role"
    >
  > {
  /** The port of a manager address that is given without one. */
  managerPort?: number;
}

/** The port of a manager address that came without one. */
export const NO_PORT = 0;

/** Where the manager listens. */
export type ManagerAddress = HostPort | { readonly path: string };
