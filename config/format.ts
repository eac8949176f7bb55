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
import { formatHostPort } from "../loop/mod.ts";
import { DEFAULT_FORBIDDEN, IpNetworks } from "./ip_networks.ts";
import type { Config } from "./types.ts";

const stringify = toml.stringify as (values: object) => string;

/** A method of SIP022 has its key in the link as it is, not in Base64. */
const PLAIN_METHOD = /^2022-/;

/**
 * Writes a configuration as TOML that the same role reads back.
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
  const values: Record<string, unknown> = { server: unlist(config.server) };
  const put = (key: string, value: unknown, usual?: unknown): void => {
    if (value !== undefined && value !== usual) values[key] = value;
  };
  if (config.portPassword === undefined) {
    if (config.serverPort.length > 0) {
      values.server_port = unlist(config.serverPort);
    }
    put("password", config.password, "");
  }
  if (isClient) {
    values.local_address = config.localAddress;
    if (role === "sslocal") values.local_port = config.localPort;
  }
  if (role === "sstunnel") {
    values.tunnel_port = config.tunnelPort;
    values.tunnel_remote = config.tunnelRemote;
    values.tunnel_remote_port = config.tunnelRemotePort;
  }
  values.method = config.method;
  put("timeout", config.timeout, 300);
  put("mode", config.mode, "tcp_and_udp");
  put("fast_open", config.fastOpen, false);
  put("workers", config.workers, 1);
  put("one_time_auth", config.oneTimeAuth, false);
  put("prefer_ipv6", config.preferIpv6, false);
  put("udp_max_associations", config.udpMaxAssociations, 512);
  put("event_loop", config.eventLoop);
  const forbidden = config.forbiddenIp.cidrs;
  const usual = new IpNetworks(DEFAULT_FORBIDDEN).cidrs;
  if (forbidden.join() !== usual.join()) values.forbidden_ip = forbidden;
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
  // A table has to come last.
  if (config.portPassword !== undefined) {
    values.port_password = Object.fromEntries(config.portPassword);
  }
  return `${stringify(values).trim()}\n`;
}

/**
 * Writes the link of one server of a configuration, SIP002.
 *
 * @param config The configuration; its first server and port are taken.
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
  const { method } = config;
  const host = options.host ?? config.server[0];
  const port = options.port ?? config.serverPort[0];
  if (host === undefined || port === undefined) {
    throw new RangeError("Cannot write ss:// link: no server and port");
  }
  const password = config.portPassword?.get(port) ?? config.password;
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
