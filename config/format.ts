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

import * as toml from "@std/toml";
import { DEFAULT_FORBIDDEN, formatHostPort } from "../loop/mod.ts";
import {
  flatLocal,
  flatServers,
  groupValues,
  isImplied,
  localValues,
  proxyUrl,
  putter,
  serverValues,
  userValues,
  type Values,
} from "./_format_tables.ts";
import type { Config } from "./types.ts";

/** What is used of the library, which comes without types. */
const stringify = toml.stringify as (
  values: Readonly<Record<string, unknown>>,
) => string;

/** A method of SIP022 has its key in the link as it is, not in Base64. */
const PLAIN_METHOD = /^2022-/;

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
  else put("password", config.password, "");
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
  put("reject", config.reject);
  put("fallback", config.fallback && formatHostPort(config.fallback));
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
  if (config.users.length > 0) values.users = config.users.map(userValues);
  if (flat === undefined && config.servers.length > 0) {
    values.servers = config.servers.map((each) => serverValues(each, config));
  }
  const groups = config.groups.filter((each) => !isImplied(each, config, flat));
  if (groups.length > 0) values.groups = groups.map(groupValues);
  return `${stringify(asWritten(values) as Values).trim()}\n`;
}

/** Texts as a file has them, where `${` begins a variable. */
function asWritten(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll("${", () => "$${");
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(asWritten);
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, asWritten(each)]),
  );
}

/**
 * Writes the link of one server of a configuration, SIP002.
 *
 * @param config The configuration; the server of `port`, or else its first,
 * is taken.
 * @param options The host that clients reach a server at, the port, the name
 * of the link, and whose link it is; default: that of the password.
 * @returns The link.
 * @throws {RangeError} If the configuration has no such server or user.
 */
export function ssUrl(
  config: Config,
  options: {
    readonly host?: string;
    readonly port?: number;
    readonly tag?: string;
    readonly user?: string;
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
  const { method, password } = ownKey(
    server ?? config.servers.find((each) => each.port === 0) ?? config,
    options.user,
  );
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

/** What a client of a server, or of one of its users, has. */
function ownKey(
  { method, password, users }: Pick<Config, "method" | "password" | "users">,
  name: string | undefined,
): { readonly method: string; readonly password: string } {
  if (name === undefined) return { method, password };
  const user = users.find((each) => each.name === name);
  if (user === undefined) {
    throw new RangeError("Cannot write ss:// link: there is no such user");
  }
  return PLAIN_METHOD.test(method)
    // SIP023: the key of the server, and behind it that of the user.
    ? { method, password: `${password}:${user.password}` }
    : { method: user.method ?? method, password: user.password };
}

function base64Url(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
