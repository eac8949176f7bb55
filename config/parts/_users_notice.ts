/**
 * What a check says of users. Loaded only by that.
 *
 * @module
 */

import type { Notice } from "../notice.ts";
import type { Config, ServerUser } from "../types.ts";

/**
 * Counts the users of servers.
 *
 * @param config The configuration.
 * @returns `2 users, 1 of them disabled`; undefined: there are none.
 */
export function usersNotice(config: Config): Notice | undefined {
  const users = new Set<ServerUser>(config.users);
  for (const server of config.servers) {
    for (const user of server.users) users.add(user);
  }
  if (users.size === 0) return undefined;
  const count = users.size === 1 ? "1 user" : `${users.size} users`;
  const disabled = [...users].filter((user) => user.disabled).length;
  const rest = disabled === 0 ? "" : `, ${disabled} of them disabled`;
  return { level: "info", style: "log", text: `${count}${rest}` };
}
