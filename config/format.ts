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

function base64Url(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
