/**
 * Writes a configuration for people to paste: as TOML, and as the `ss://` link
 * of SIP002.
 *
 * ```text
 * ss://BASE64URL(method:password)@host:port#tag
 * ```
 *
 * @module
 */

import { stringify } from "smol-toml";
import { DEFAULT_FORBIDDEN, formatHostPort } from "../loop/mod.ts";
import type {
  Config,
  GroupConfig,
  LocalConfig,
  ProxyConfig,
  ServerConfig,
} from "./types.ts";

/** A method of SIP022 has its key in the link as it is, not in Base64. */
const PLAIN_METHOD = /^2022-/;

type Values = Record<string, unknown>;

/**
 * Writes a configuration as TOML that the same role reads back, with the flat
 * keys where they are enough.
 *
 * What has its default is left out, as is what belongs to one machine: pid
 * and log file, user, and paths of libraries.
 *
 * @param config The configuration.
 * @returns The lines, the last one ended.
 */
export function formatToml(config: Config): string {
  const { role } = config;
  const isClient = role === "sslocal" || role === "sstunnel";
  const values: Values = {};
  const put = putter(values);
  const flat = flatServers(config);
  if (flat !== undefined) Object.assign(values, flat.values);
  const local = isClient ? flatLocal(config) : undefined;
  if (local !== undefined) Object.assign(values, local);
  values.method = config.method;
  put("timeout", config.timeout, 300);
  put("udp_timeout", config.udpTimeout, config.timeout);
  put("mode", config.mode, "tcp_and_udp");
  put("fast_open", config.fastOpen, false);
  put("workers", config.workers, 1);
  put("one_time_auth", config.oneTimeAuth, false);
  put("prefer_ipv6", config.preferIpv6, false);
  put("udp_max_associations", config.udpMaxAssociations, 512);
  put("event_loop", config.eventLoop);
  put("acl", config.acl?.path);
  if (config.outboundProxy.length > 0) {
    values.outbound_proxy = config.outboundProxy.map(proxyUrl);
  }
  if (!isClient && config.forbiddenIp.join() !== DEFAULT_FORBIDDEN.join()) {
    values.forbidden_ip = config.forbiddenIp;
  }
  if (config.dnsServer.length > 0) {
    values.dns_server = config.dnsServer.map(formatHostPort);
  }
  const manager = config.managerAddress;
  if (manager !== undefined) {
    values.manager_address = "path" in manager
      ? manager.path
      : formatHostPort(manager);
    put("manager_dialect", config.managerDialect, "python");
  }
  // Tables have to come last.
  if (flat?.portPassword !== undefined) {
    values.port_password = flat.portPassword;
  }
  if (config.accessLog !== undefined) values.access_log = config.accessLog;
  if (isClient && local === undefined) {
    values.locals = config.locals.map((each) => localValues(each, config));
  }
  if (flat === undefined && config.servers.length > 0) {
    values.servers = config.servers.map((each) => serverValues(each, config));
  }
  const groups = config.groups.filter((each) => !isImplied(each, config, flat));
  if (groups.length > 0) values.groups = groups.map(groupValues);
  return `${stringify(values).trim()}\n`;
}

function putter(
  values: Values,
): (key: string, value: unknown, usual?: unknown) => void {
  return (key, value, usual): void => {
    if (value !== undefined && value !== usual) values[key] = value;
  };
}

/** What the flat keys say of servers. */
interface FlatServers {
  readonly values: Values;
  readonly portPassword: Readonly<Record<string, string>> | undefined;
}

/** The flat keys, if they are enough: hosts times ports, one of a kind. */
function flatServers(config: Config): FlatServers | undefined {
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

function serverValues(server: ServerConfig, config: Config): Values {
  const values: Values = {
    server: server.host,
    server_port: server.port,
    password: server.password,
  };
  const put = putter(values);
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
  return values;
}

/** The flat keys, if there is one local and they are enough. */
function flatLocal({ role, locals, mode }: Config): Values | undefined {
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

function localValues(local: LocalConfig, { mode }: Config): Values {
  const values: Values = {
    local_address: local.address,
    local_port: local.port,
  };
  const put = putter(values);
  put("protocol", local.protocol, "mixed");
  put("mode", local.mode, mode);
  put("forward_address", local.forward?.host);
  put("forward_port", local.forward?.port);
  put("acl", local.acl?.path);
  put("outbound", local.outbound);
  if (local.users.length > 0) values.users = local.users;
  return values;
}

/** Whether the reader makes the group by itself. */
function isImplied(
  group: GroupConfig,
  config: Config,
  flat: FlatServers | undefined,
): boolean {
  return flat !== undefined && group.name === config.defaultOutbound &&
    group.strategy === "random" && group.probeUrl === undefined &&
    group.members.join("\n") ===
      config.servers.map(({ name }) => name).join("\n");
}

function groupValues(group: GroupConfig): Values {
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

function proxyUrl(
  { protocol, host, port, user, password }: ProxyConfig,
): string {
  const credentials = user === undefined
    ? ""
    : `${encodeURIComponent(user)}:${encodeURIComponent(password ?? "")}@`;
  return `${protocol}://${credentials}${formatHostPort({ host, port })}`;
}

/**
 * Writes the link of one server of a configuration, SIP002.
 *
 * @param config The configuration; the server of `port`, or else its first,
 * is taken.
 * @param options The host that clients reach a server at, the port, and the
 * name of the link.
 * @returns The link.
 * @throws {RangeError} If the configuration has no such server.
 */
export function ssUrl(
  config: Config,
  options: {
    readonly host?: string;
    readonly port?: number;
    readonly tag?: string;
  } = {},
): string {
  const [first] = config.servers;
  const host = options.host ?? first?.host;
  const port = options.port ?? first?.port;
  if (host === undefined || port === undefined) {
    throw new RangeError("Cannot write ss:// link: no server and port");
  }
  const server = config.servers.find((each) => each.port === port);
  // A server that listens on port 0 is reached at the one that it was given.
  const { method, password } = server ??
    config.servers.find((each) => each.port === 0) ??
    { method: config.method, password: config.password };
  if (password === "") {
    throw new RangeError(`Cannot write ss:// link: no password for ${port}`);
  }
  const user = PLAIN_METHOD.test(method)
    ? `${encodeURIComponent(method)}:${encodeURIComponent(password)}`
    : base64Url(`${method}:${password}`);
  const tag = options.tag === undefined
    ? ""
    : `#${encodeURIComponent(options.tag)}`;
  return `ss://${user}@${formatHostPort({ host, port })}${tag}`;
}

function unlist<T>(list: readonly T[]): T | readonly T[] {
  return list.length === 1 ? list[0]! : list;
}

function base64Url(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
