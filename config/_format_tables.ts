/**
 * The keys that a part of a configuration is written with.
 *
 * @module
 */

import { formatHostPort } from "../loop/mod.ts";
import { rejectionOf } from "./parts/_servers.ts";
import type {
  Config,
  GroupConfig,
  LocalConfig,
  ProxyConfig,
  ServerConfig,
  ServerUser,
} from "./types.ts";

/** Keys and their values. */
export type Values = Record<string, unknown>;

/**
 * Sets keys whose values are not the usual ones.
 *
 * @param values Takes the keys.
 * @returns Sets one key.
 */
export function putter(
  values: Values,
): (key: string, value: unknown, usual?: unknown) => void {
  return (key, value, usual): void => {
    if (value !== undefined && value !== usual) values[key] = value;
  };
}

/** What the flat keys say of servers. */
export interface FlatServers {
  /** The keys and their values. */
  readonly values: Values;
  /** `port_password`, which is a table and comes last. */
  readonly portPassword: Readonly<Record<string, string>> | undefined;
}

/**
 * The flat keys of the servers, if they are enough: hosts times ports, all of
 * one kind.
 *
 * @param config The configuration.
 * @returns The keys; undefined if there have to be tables.
 */
export function flatServers(config: Config): FlatServers | undefined {
  const { servers, listenAddresses } = config;
  if (servers.length === 0) {
    const values: Values = {};
    if (listenAddresses.length > 0) values.server = unlist(listenAddresses);
    putter(values)("password", config.password, "");
    return { values, portPassword: undefined };
  }
  const hosts = [...new Set(servers.map(({ host }) => host))];
  const byPort = new Map(servers.map((each) => [each.port, each.password]));
  const ports = [...byPort.keys()];
  const isProduct = servers.length === hosts.length * ports.length &&
    servers.every((each, i) =>
      each.host === hosts[Math.floor(i / ports.length)] &&
      each.port === ports[i % ports.length] &&
      each.password === byPort.get(each.port) && isPlain(each, config)
    );
  if (!isProduct) return undefined;
  const passwords = [...new Set(byPort.values())];
  const isServer = config.role === "ssserver" || config.role === "ssmanager";
  if (isServer && passwords.length === 1 && passwords[0] === "") {
    const values = { server: unlist(hosts), server_port: unlist(ports) };
    return { values, portPassword: undefined };
  }
  if (isServer && config.password === "") {
    return {
      values: { server: unlist(hosts) },
      portPassword: Object.fromEntries(byPort),
    };
  }
  if (passwords.length > 1) return undefined;
  return {
    values: {
      server: unlist(hosts),
      server_port: unlist(ports),
      password: passwords[0],
    },
    portPassword: undefined,
  };
}

/** Whether a server differs from the outer values in nothing. */
function isPlain(server: ServerConfig, config: Config): boolean {
  const { name, server: _, server_port: __, password: ___, ...rest } =
    serverValues(server, config);
  return name === undefined && Object.keys(rest).length === 0;
}

/**
 * One `[[servers]]`.
 *
 * @param server The server.
 * @param config The configuration, whose values the table inherits.
 * @returns The keys.
 */
export function serverValues(server: ServerConfig, config: Config): Values {
  const values: Values = {
    server: server.host,
    server_port: server.port,
  };
  const put = putter(values);
  put("password", server.password, "");
  put("name", server.name, formatHostPort(server));
  put("method", server.method, config.method);
  put("mode", server.mode, config.mode);
  put("timeout", server.timeout, config.timeout);
  put("fast_open", server.fastOpen, config.fastOpen);
  put("one_time_auth", server.oneTimeAuth, config.oneTimeAuth);
  put("tcp_weight", server.tcpWeight, 1);
  put("udp_weight", server.udpWeight, 1);
  const proxies = server.proxy.map(proxyUrl);
  if (proxies.join() !== config.outboundProxy.map(proxyUrl).join()) {
    values.outbound_proxy = proxies;
  }
  put("acl", server.acl?.path);
  put("reject", server.reject, rejectionOf(server.method, config.reject));
  const place = (
    { fallback }: Pick<ServerConfig, "fallback">,
  ): string | undefined => fallback && formatHostPort(fallback);
  put("fallback", place(server), place(config));
  const outer = new Set(config.users.map(({ name }) => name));
  const users = server.users.filter(({ name }) => !outer.has(name));
  if (users.length > 0) values.users = users.map(userValues);
  return values;
}

/**
 * One `[[users]]`.
 *
 * @param user The user.
 * @returns The keys.
 */
export function userValues(user: ServerUser): Values {
  const values: Values = { name: user.name, password: user.password };
  const put = putter(values);
  put("method", user.method);
  put("port", user.port);
  put("disabled", user.disabled, false);
  put("server", user.next?.host);
  put("server_port", user.next?.port);
  return values;
}

/**
 * The flat keys of the local, if there is one and they are enough.
 *
 * @param config The configuration.
 * @returns The keys; undefined if there have to be tables.
 */
export function flatLocal(config: Config): Values | undefined {
  const { role, locals, mode } = config;
  const [local] = locals;
  if (local === undefined) return {};
  const { protocol, forward } = local;
  const isPlainLocal = locals.length === 1 && local.users.length === 0 &&
    local.acl === undefined && local.outbound === undefined &&
    local.mode === mode;
  if (!isPlainLocal) return undefined;
  const address = { local_address: local.address };
  if (role === "sstunnel") {
    return protocol !== "tunnel" || forward === undefined ? undefined : {
      ...address,
      tunnel_port: local.port,
      tunnel_remote: forward.host,
      tunnel_remote_port: forward.port,
    };
  }
  if (protocol === "tunnel") return undefined;
  const values: Values = { ...address, local_port: local.port };
  putter(values)("protocol", protocol, "mixed");
  return values;
}

/**
 * One `[[locals]]`.
 *
 * @param local The local.
 * @param config The configuration, whose values the table inherits.
 * @returns The keys.
 */
export function localValues(local: LocalConfig, config: Config): Values {
  const values: Values = {
    local_address: local.address,
    local_port: local.port,
  };
  const put = putter(values);
  put("protocol", local.protocol, "mixed");
  put("mode", local.mode, config.mode);
  put("forward_address", local.forward?.host);
  put("forward_port", local.forward?.port);
  put("acl", local.acl?.path);
  put("outbound", local.outbound);
  if (local.users.length > 0) values.users = local.users;
  return values;
}

/**
 * Whether the reader makes a group by itself.
 *
 * @param group The group.
 * @param config The configuration.
 * @param flat The flat keys of the servers.
 */
export function isImplied(
  group: GroupConfig,
  config: Config,
  flat: FlatServers | undefined,
): boolean {
  return flat !== undefined && group.name === config.defaultOutbound &&
    group.strategy === "random" && group.probeUrl === undefined &&
    group.members.join("\n") ===
      config.servers.map(({ name }) => name).join("\n");
}

/**
 * One `[[groups]]`.
 *
 * @param group The group.
 * @returns The keys.
 */
export function groupValues(group: GroupConfig): Values {
  const values: Values = {
    name: group.name,
    strategy: group.strategy,
    members: group.members,
    // Without the key some strategies probe.
    probe_url: group.probeUrl ?? "",
  };
  const put = putter(values);
  put("probe_interval", group.probeInterval, 10);
  put("selected", group.selected);
  return values;
}

/**
 * One proxy as `outbound_proxy` has it.
 *
 * @param proxy The proxy.
 * @returns The URL.
 */
export function proxyUrl(proxy: ProxyConfig): string {
  const { protocol, host, port, user, password } = proxy;
  const credentials = user === undefined
    ? ""
    : `${encodeURIComponent(user)}:${encodeURIComponent(password ?? "")}@`;
  return `${protocol}://${credentials}${formatHostPort({ host, port })}`;
}

function unlist<T>(list: readonly T[]): T | readonly T[] {
  return list.length === 1 ? list[0]! : list;
}
