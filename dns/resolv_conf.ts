/**
 * resolv.conf: which name servers to ask, and how long to wait for them.
 *
 * Read are `nameserver` (IPv4 and IPv6) and, of `options`, `timeout:` and
 * `attempts:`. `search` and `domain` are not applied: a proxy looks up names
 * that others give it, and these are whole. An IPv6 server with a zone
 * (`fe80::1%eth0`) is skipped, since the sockets take none. If the file names
 * no server, the last ones known are kept, or 8.8.8.8 and 8.8.4.4.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { readAddress, SocketAddress } from "../loop/mod.ts";
import { type FileSource, WatchedFile } from "./_watched_file.ts";

const logger = getLogger(["shadowsocks", "dns"]);

/** The port of name servers. */
const DNS_PORT = 53;

/** Which servers to ask, and how. */
export interface ServerSettings {
  /** The servers in order; at least one. */
  readonly servers: readonly SocketAddress[];
  /** Milliseconds to wait for one server before the next is asked. */
  readonly timeout: number;
  /** How often each server is asked. */
  readonly attempts: number;
}

/** Where resolv.conf is. */
export const DEFAULT_RESOLV_CONF_PATH = "/etc/resolv.conf";

/**
 * Milliseconds to wait for a server unless the file says otherwise. glibc
 * waits five seconds; a proxy's client would have given up by then.
 */
export const DEFAULT_TIMEOUT = 1000;
/**
 * How often to ask each server unless the file says otherwise: glibc asks
 * twice, but waits five times as long for each.
 */
export const DEFAULT_ATTEMPTS = 3;

/** Asked when the system names no server, as the Python shadowsocks does. */
const FALLBACK_SERVERS = ["8.8.8.8", "8.8.4.4"];
/** Most servers: glibc takes three (MAXNS of resolv.conf(5)) and skips others. */
const MAX_SERVERS = 3;
/** Largest `timeout:` in seconds: the whole lookup ends after five. */
const MAX_TIMEOUT = 5;
/** Largest `attempts:`, as resolv.conf(5) has it. */
const MAX_ATTEMPTS = 5;
/**
 * Seconds between two looks at the file: after a change of network the first
 * lookups must go to its servers.
 */
const CHECK_INTERVAL = 1;

/**
 * Reads the text of a resolv.conf. Lines that cannot be read are skipped.
 *
 * @param text The text.
 * @returns What it says; `servers` may be empty.
 */
export function parseResolvConf(text: string): ServerSettings {
  const servers: SocketAddress[] = [];
  let timeout = DEFAULT_TIMEOUT;
  let attempts = DEFAULT_ATTEMPTS;
  for (const line of text.split(/\r\n|\n|\r/)) {
    const [keyword, ...values] = line.replace(/[#;].*$/, "").trim().split(
      /\s+/,
    );
    if (keyword === "nameserver" && servers.length < MAX_SERVERS) {
      const server = readAddress(values[0] ?? "", DNS_PORT);
      if (server !== undefined) servers.push(server);
    } else if (keyword === "options") {
      for (const value of values) {
        const found = /^(timeout|attempts):([0-9]+)$/.exec(value);
        if (found === null) continue;
        const number = Math.max(1, Number(found[2]));
        if (found[1] === "timeout") {
          timeout = Math.min(MAX_TIMEOUT, number) * 1000;
        } else {
          attempts = Math.min(MAX_ATTEMPTS, number);
        }
      }
    }
  }
  return { servers, timeout, attempts };
}

/** resolv.conf, read again when it changes. */
export class ResolvConf {
  readonly #file: WatchedFile<ServerSettings>;

  /**
   * Names the file; it is not read yet.
   *
   * @param path The file.
   * @param source How it is read.
   */
  constructor(path: string, source: FileSource) {
    this.#file = new WatchedFile({
      path,
      source,
      interval: CHECK_INTERVAL,
      parse: (text, previous) => {
        const settings = parseResolvConf(text ?? "");
        if (settings.servers.length > 0) return settings;
        const servers = previous?.servers ??
          FALLBACK_SERVERS.map((host) => SocketAddress.parse(host, DNS_PORT));
        logger.warn(
          "no name server in {path}: asking {servers}; dns_server names others",
          { path, servers: servers.map(({ host }) => host).join(" and ") },
        );
        return { ...settings, servers };
      },
    });
  }

  /**
   * What the file says now.
   *
   * @param now Seconds of a monotonic clock.
   * @returns The settings; at least one server.
   */
  settings(now: number): ServerSettings {
    return this.#file.get(now);
  }
}
