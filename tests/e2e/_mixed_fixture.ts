/**
 * A server, and a local with two mixed ports: one for everybody, one for users.
 *
 * @module
 */

import {
  type ConfigValues,
  listeningPorts,
  PASSWORD,
  type ProxyLogin,
  type RoleProcess,
  spawnRole,
} from "../support/mod.ts";

/** The user of the port that has users. */
export const ALICE: ProxyLogin = { name: "alice", password: "w:onder" };

/** Both processes; the access log of the local is in its output. */
export interface MixedPair extends AsyncDisposable {
  /** The `sslocal`. */
  readonly local: RoleProcess;
  /** The mixed port for everybody. */
  readonly open: number;
  /** The mixed port for users. */
  readonly closed: number;
}

/** A table of the server, which may reach loopback. */
export const SERVER_KEYS: ConfigValues = {
  server: "127.0.0.1",
  server_port: 0,
  password: PASSWORD,
  method: "aes-256-gcm",
  forbidden_ip: "",
};

/** A mixed port of `[[locals]]`. */
export const OPEN_PORT: ConfigValues = {
  local_address: "127.0.0.1",
  local_port: 0,
};

/** One with users. */
export const CLOSED_PORT: ConfigValues = {
  ...OPEN_PORT,
  users: [{ name: ALICE.name, password: ALICE.password }],
};

/**
 * Starts both.
 *
 * @param keys Further keys of the local.
 * @returns Both, listening.
 */
export async function spawnMixedPair(
  keys: ConfigValues = {},
): Promise<MixedPair> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(
    await spawnRole("ssserver", { config: SERVER_KEYS }),
  );
  const local = stack.use(
    await spawnRole("sslocal", {
      config: {
        server: "127.0.0.1",
        server_port: server.port,
        password: PASSWORD,
        method: "aes-256-gcm",
        access_log: { file: "-", format: "json" },
        locals: [OPEN_PORT, CLOSED_PORT],
        ...keys,
      },
    }),
  );
  const [open, closed] = await listeningPorts(local, 2);
  const kept = stack.move();
  return {
    local,
    open: open!,
    closed: closed!,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
