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
  if (bracketed !== undefined) return undefined;
  return isHostName(text) ? text : asciiName(text);
}

/** The ASCII form (RFC 5891) of an internationalized name. */
function asciiName(text: string): string | undefined {
  // Nothing that has a meaning in a URL.
  if (!/^[\w.\-\u0080-\uffff]+$/.test(text)) return undefined;
  if (!URL.canParse(`http://${text}`)) return undefined;
  const { hostname } = new URL(`http://${text}`);
  return hostname !== text && isHostName(hostname) ? hostname : undefined;
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
  if (alone !== undefined && defaultPort !== undefined) {
    return { host: alone, port: defaultPort };
  }
  // Where a port must follow, an IPv6 address needs no brackets: the last part
  // is the port.
  const [, hostText, digits] =
    /^(\[.*\]|[^:]*|[^[\]]*):(\d{1,5})$/.exec(text) ??
      [];
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
  return labels.every((label) => /^[A-Za-z0-9_-]{1,63}$/.test(label)) &&
    !/^\d+$/.test(labels.at(-1)!);
}
