/**
 * Reads the proxies of `outbound_proxy`.
 *
 * @module
 */

import { readHostPort } from "./_hosts.ts";
import { isLongCredential } from "./_readers.ts";
import type { Report } from "../keys/_shape.ts";
import type { ProxyConfig } from "../types.ts";

/**
 * Reads a proxy or a list of them, the nearest first.
 *
 * @param value The value as given.
 * @param report Where to report; it must not show the value.
 * @returns The checked value; undefined after a report.
 */
export function readProxies(
  value: unknown,
  report: Report,
): readonly ProxyConfig[] | undefined {
  const list = Array.isArray(value) ? value : [value];
  const proxies: ProxyConfig[] = [];
  for (const [i, entry] of list.entries()) {
    const proxy = typeof entry === "string" ? proxyOf(entry) : undefined;
    if (typeof proxy !== "object") {
      return report.expected(proxy ?? PROXY, {
        path: Array.isArray(value) ? [i] : [],
        value: entry,
        isOpen: typeof entry === "string" && ADDRESS_ALONE.test(entry),
      });
    }
    proxies.push(proxy);
  }
  return proxies;
}

const PROXY = "socks5://host:port or http://host:port, with user:password@ " +
  "before the host or without";

/** A host with a dot in it: nothing of this form is a user or a password. */
const ADDRESS_ALONE =
  /^(?:[a-z0-9+]+:\/*)?[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?\/?$/i;

/** The proxy, or what was expected. */
function proxyOf(text: string): ProxyConfig | string {
  const [, scheme, credentials, rest] =
    /^([a-z0-9]+):\/\/(?:([^@/]*)@)?([^@/]+)\/?$/i.exec(text) ?? [];
  const protocol = scheme?.toLowerCase();
  if (protocol === "https") {
    return `${PROXY}; https:// is not available in this version`;
  }
  if (protocol === "socks5h") {
    return "socks5:// in place of socks5h://: it resolves names there too";
  }
  if (protocol === undefined && text.split("@").length > 2) {
    return `${PROXY}; an @ in user or password is %40`;
  }
  if (protocol !== "socks5" && protocol !== "http") return PROXY;
  const server = readHostPort(rest!);
  if (server === undefined) return PROXY;
  if (credentials === undefined) {
    return { protocol, ...server, user: undefined, password: undefined };
  }
  const [user, password] = credentials.split(/:(.*)/s).map(decodePercent);
  const isWhole = [user, password].every((each) =>
    each !== undefined && each !== "" && !isLongCredential(each)
  );
  // RFC 7617: the first colon ends the name.
  if (protocol === "http" && user?.includes(":")) {
    return 'a user without ":" (%3A), which HTTP cannot carry';
  }
  return isWhole
    ? { protocol, ...server, user, password }
    : "user and password of 1 to 255 bytes before the @, other characters " +
      "than letters and digits as %XX";
}

/**
 * Decodes text with `%XX` in it.
 *
 * @param text The text.
 * @returns What it stands for; undefined if it stands for nothing.
 */
export function decodePercent(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
