/**
 * The configuration of one port that a manager adds: the entries of the
 * command over the configuration of the process.
 *
 * @module
 */

import { findMethod } from "../crypto/methods.ts";
import { formatHostPort } from "../loop/mod.ts";
import { shown } from "./_shown.ts";
import { isOf2022 } from "./readers/_psk.ts";
import { Findings, placed as withPlaces } from "./_findings.ts";
import { parseJson } from "./formats/_json.ts";
import { TOP, type TopKeys } from "./keys/_keys.ts";
import { checkKeys, type Secret, warnOfWeak } from "./parts/_secrets.ts";
import { rejectionOf } from "./parts/_servers.ts";
import {
  type PlacedUser,
  readUsers,
  refuseOtherPorts,
  UserChecks,
} from "./parts/_server_users.ts";
import { isTable } from "./keys/_shape.ts";
import { Table } from "./_table.ts";
import { issue, type Notice } from "./notice.ts";
import type { Config, ServerConfig } from "./types.ts";

/** The configuration of a port, or why there is none. */
export type PortConfigResult =
  | {
    readonly kind: "config";
    readonly config: Config;
    readonly warnings: readonly Notice[];
  }
  | { readonly kind: "error"; readonly messages: readonly Notice[] };

/**
 * Makes the configuration of one port. Keys that belong to the process, and
 * keys that nobody knows, are not taken, with a warning.
 *
 * @param base The configuration of the process.
 * @param entries `server_port` and other keys, as a JSON text or as values.
 * @returns The configuration: its `servers` listen on the one port, at every
 * address of the process or of the command; no manager.
 */
export function configForPort(
  base: Config,
  entries: string | Readonly<Record<string, unknown>>,
): PortConfigResult {
  const findings = new Findings();
  const top = new Table<TopKeys>(TOP, findings);
  const values = typeof entries === "string"
    ? parseJson(entries)?.values
    : entries;
  if (!isTable(values)) {
    return {
      kind: "error",
      messages: [issue("Cannot add port: expected keys in { }, each once")],
    };
  }
  top.read(values, { strict: false, forPort: true });
  const { server_port: ports, ...own } = top.values;
  const isOnePort = ports?.length === 1 && ports[0] !== 0;
  if (!isOnePort && (ports !== undefined || top.lacks("server_port"))) {
    findings.refuse("Cannot add port: expected one server_port");
  }
  const password = own.password ?? base.password;
  const method = own.method ?? base.method;
  const placed = own.users === undefined
    ? base.users.map((user) => ({
      user,
      nameAt: undefined,
      secretAt: undefined,
    }))
    : readUsers(own.users, findings);
  const isNobodys = placed.length === 0 && top.lacks("users") ||
    own.users?.length === 0 || isOf2022(findMethod(method));
  if (password === "" && top.lacks("password") && isNobodys) {
    findings.refuse("Cannot add port: password not specified");
  }
  const port = ports?.[0] ?? 0;
  if (own.users !== undefined) {
    refuseOtherPorts(placed, { port, label: "the command" }, findings);
  }
  const users = new UserChecks(findings).usersOf(placed, {
    method,
    password,
    port,
    label: `port ${port}`,
    at: undefined,
  });
  const secrets = secretsOf(placed, { method, password });
  checkKeys(secrets, findings);
  if (findings.issues.length > 0) {
    const notices = [...findings.warnings, ...findings.issues];
    return { kind: "error", messages: withPlaces<Notice>(notices, () => "") };
  }
  warnOfWeak(secrets, findings);
  const config: Config = {
    ...base,
    role: "ssserver",
    listenAddresses: own.server ?? base.listenAddresses,
    password,
    users,
    reject: own.reject ?? base.reject,
    fallback: own.fallback ?? base.fallback,
    method,
    timeout: own.timeout ?? base.timeout,
    udpTimeout: own.udp_timeout ?? own.timeout ?? base.udpTimeout,
    mode: own.mode ?? base.mode,
    fastOpen: own.fast_open ?? base.fastOpen,
    oneTimeAuth: own.one_time_auth ?? base.oneTimeAuth,
    forbiddenIp: own.forbidden_ip ?? base.forbiddenIp,
    udpMaxAssociations: own.udp_max_associations ?? base.udpMaxAssociations,
    managerAddress: undefined,
  };
  return {
    kind: "config",
    config: { ...config, servers: serversOf(config, ports![0]!) },
    warnings: withPlaces(findings.warnings, () => ""),
  };
}

/** The passwords of a port and its users. */
function secretsOf(
  users: readonly PlacedUser[],
  { method, password }: Pick<Config, "method" | "password">,
): Secret[] {
  const common = { isChain: false, at: undefined };
  return [
    { ...common, password, method, label: "the password" },
    ...users.map(({ user }) => ({
      ...common,
      password: user.password,
      method: user.method ?? method,
      label: `the password of user ${shown(user.name)}`,
    })),
  ];
}

/** The port at each address. */
function serversOf(config: Config, port: number): ServerConfig[] {
  return config.listenAddresses.map((host) => ({
    name: formatHostPort({ host, port }),
    host,
    port,
    method: config.method,
    password: config.password,
    users: config.users,
    reject: rejectionOf(config.method, config.reject),
    fallback: config.fallback,
    mode: config.mode,
    timeout: config.timeout,
    fastOpen: config.fastOpen,
    oneTimeAuth: config.oneTimeAuth,
    tcpWeight: 1,
    udpWeight: 1,
    proxy: config.outboundProxy,
    acl: undefined,
  }));
}
