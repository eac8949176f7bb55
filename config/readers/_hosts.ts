/**
 * Hosts and ports as they are written in settings.
 *
 * @module
 */

import { parseIp } from "../../loop/mod.ts";
import type { HostPort } from "../types.ts";

/** The longest name of RFC 1035. */
const MAX_NAME = 253;

/**
 * Reads an IP literal, in brackets or not, or a host name.
 *
 * @param text The text.
 * @returns The host without brackets; undefined if it is neither.
 */
export function readHostText(text: string): string | undefined {
  const bracketed = /^\[(.*:.*)\]$/.exec(text)?.[1];
  const literal = bracketed ?? text;
  if (parseIp(literal) !== undefined) return literal;
  // A link-local address with the interface it belongs to.
  const [address, zone] = literal.split("%");
  if (zone !== undefined && /^[\w.-]+$/.test(zone)) {
    return parseIp(address!)?.length === 16 ? literal : undefined;
  }
  return bracketed === undefined && isHostName(text) ? text : undefined;
}

/**
 * Reads `host:port`, `[address]:port` or, with a default, a host alone.
 *
 * @param text The text.
 * @param defaultPort The port of a host alone; without it a port is required.
 * @returns Host and port; undefined if the text is not one of these.
 */
export function readHostPort(
  text: string,
  defaultPort?: number,
): HostPort | undefined {
  const alone = readHostText(text);
  if (alone !== undefined) {
    return defaultPort === undefined
      ? undefined
      : { host: alone, port: defaultPort };
  }
  const [, hostText, digits] = /^(\[.*\]|[^:]*):(\d{1,5})$/.exec(text) ?? [];
  if (hostText === undefined) return undefined;
  const host = readHostText(hostText);
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65535) return undefined;
  return { host, port };
}

/** A name whose last label is a number is a mistyped address. */
function isHostName(text: string): boolean {
  if (text.length > MAX_NAME) return false;
  const labels = text.replace(/\.$/, "").split(".");
  return labels.every((label) =>
    /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label)
  ) && !/^\d+$/.test(labels.at(-1)!);
}
