/**
 * The roles by name.
 *
 * @module
 */

import type { Role } from "./types.ts";

/** All roles. */
export const ROLES: readonly Role[] = [
  "sslocal",
  "ssserver",
  "sstunnel",
  "ssmanager",
];

/**
 * Tells roles from other words.
 *
 * @param name The word, if there is one.
 * @returns Whether it is the name of a role.
 */
export function isRole(name: string | undefined): name is Role {
  return ROLES.some((role) => role === name);
}
