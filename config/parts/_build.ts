/**
 * From the values of all tables to the configuration.
 *
 * @module
 */

import { DEFAULT_FORBIDDEN } from "../../loop/mod.ts";
import { type ManagerAddress, NO_PORT } from "../readers/_address_readers.ts";
import type { Context, Top } from "../_context.ts";
import { buildGroups, checkOutbounds } from "./_groups.ts";
import { buildLocals } from "./_locals.ts";
import { requireParts, warnOfParts } from "./_rules.ts";
import { buildServers, DEFAULT_METHOD, DEFAULT_TIMEOUT } from "./_servers.ts";
import type { Config } from "../types.ts";

/**
 * Checks the values as a whole and makes a configuration of them.
 *
 * @param top The outermost table.
 * @param context Takes what is wrong.
 * @returns The configuration; of use only when nothing is wrong.
 */
export function buildConfig(top: Top, context: Context): Config {
  // Whoever stops a daemon need not say how it would run.
  if (top.values.daemon === "stop") {
    return {
      ...plainPart(top, context),
      locals: [],
      servers: [],
      groups: [],
      defaultOutbound: "direct",
      acl: undefined,
    };
  }
  const locals = buildLocals(top, context);
  const servers = buildServers(top, context);
  const groups = buildGroups(top, servers, context);
  checkOutbounds(locals, servers, context);
  requireParts(top, { servers, locals }, context);
  warnOfParts(top, { servers, locals }, context);
  const { acl } = top.values;
  return {
    ...plainPart(top, context),
    locals: locals.map(({ config }) => config),
    servers: servers.all,
    users: servers.outerUsers,
    groups: groups.all,
    defaultOutbound: groups.defaultOutbound,
    acl: acl === undefined ? undefined : context.readAcl(acl, top.at("acl")),
  };
}

type PlainPart = Omit<
  Config,
  "locals" | "servers" | "groups" | "defaultOutbound" | "acl"
>;

/** What follows from one key each. */
function plainPart(top: Top, context: Context): PlainPart {
  const { values } = top;
  const timeout = values.timeout ?? DEFAULT_TIMEOUT;
  const hasPortPassword = values.port_password !== undefined;
  const log = values.access_log?.values;
  return {
    role: context.role,
    forbiddenIp: context.isClient
      ? []
      : values.forbidden_ip ?? DEFAULT_FORBIDDEN,
    outboundProxy: values.outbound_proxy ?? [],
    accessLog: log && { file: log.file ?? "-", format: log.format ?? "text" },
    listenAddresses: context.isClient ? [] : values.server ?? ["0.0.0.0"],
    password: context.isClient || hasPortPassword ? "" : values.password ?? "",
    users: [],
    reject: values.reject,
    fallback: context.isClient ? undefined : values.fallback,
    method: values.method ?? DEFAULT_METHOD,
    timeout,
    udpTimeout: values.udp_timeout ?? timeout,
    mode: values.mode ?? "tcp_and_udp",
    fastOpen: values.fast_open ?? false,
    workers: values.workers ?? 1,
    oneTimeAuth: values.one_time_auth ?? false,
    preferIpv6: values.prefer_ipv6 ?? false,
    dnsServer: values.dns_server ?? [],
    replay: values.replay ?? (context.isClient ? "memory" : "persist"),
    stateDir: values.state_dir,
    udpMaxAssociations: values.udp_max_associations ?? 512,
    managerAddress: context.isClient
      ? undefined
      : managerAddress(values.manager_address, values.manager_port),
    managerDialect: values.manager_dialect ?? "python",
    user: values.user,
    daemon: values.daemon,
    pidFile: values["pid-file"] ?? "/var/run/shadowsocks.pid",
    logFile: values["log-file"] ?? "/var/log/shadowsocks.log",
    verbose: values.verbose ?? 0,
    libopenssl: values.libopenssl,
    libsodium: values.libsodium,
    libmbedtls: values.libmbedtls,
    eventLoop: values.event_loop,
  };
}

function managerAddress(
  address: ManagerAddress | undefined,
  port: number | undefined,
): Config["managerAddress"] {
  if (address === undefined || "path" in address) return address;
  return address.port === NO_PORT
    ? { host: address.host, port: port ?? NO_PORT }
    : address;
}
