/**
 * Reads the `ss://` link of a server (SIP002), and the older form that is
 * Base64 as a whole:
 *
 * ```text
 * ss://BASE64(method:password)@host:port/?plugin=…#tag
 * ss://method:password@host:port#tag
 * ss://BASE64(method:password@host:port)#tag
 * ```
 *
 * Loaded only where a link is given.
 *
 * @module
 */

import { decodePercent } from "./readers/_proxy_reader.ts";

/** What a link says, by the keys of a configuration. */
export interface LinkValues {
  /** The host, an IPv6 address in brackets. */
  readonly server: string;
  /** The port in digits. */
  readonly server_port: string;
  /** The method, known or not. */
  readonly method: string;
  /** The password. */
  readonly password: string;
  /** The plugin and its options. */
  readonly plugin?: string;
}

/**
 * Reads a link.
 *
 * @param link The link; it holds a password, so no message shows it.
 * @returns Keys and values, a plugin among them; or what is wrong.
 */
export function readServerUrl(link: string): LinkValues | string {
  const [, rest = ""] = /^ss:\/\/([^#]*)/.exec(link) ?? [];
  if (rest === "") return "it does not begin with ss://";
  const whole = rest.includes("@") ? rest : fromBase64(rest);
  // A password may hold an @ of its own.
  const [, user, address, query] =
    /^(.+)@([^@/?]+)\/?(?:\?(.*))?$/s.exec(whole ?? "") ?? [];
  if (user === undefined || address === undefined) {
    return "it has not the form ss://BASE64@host:port";
  }
  // Base64 as a whole has nothing else to be decoded.
  const plain = rest.includes("@") ? decodePercent : (text: string) => text;
  const pair = user.includes(":") ? plain(user) : fromBase64(user);
  const [, method, password] = /^([^:]+):(.+)$/s.exec(pair ?? "") ?? [];
  if (method === undefined || password === undefined) {
    return "what is before the @ is not method:password, in Base64 or not";
  }
  const [, host, port] = /^(\[.*\]|[^:]*):(\d{1,5})$/.exec(address) ?? [];
  if (host === undefined || port === undefined) {
    return "it does not end in host:port";
  }
  const plugin = new URLSearchParams(query).get("plugin");
  return {
    server: host,
    server_port: port,
    method,
    password,
    ...(plugin !== null && plugin !== "" && { plugin }),
  };
}

/** The text of Base64 in either alphabet, with padding or without. */
function fromBase64(text: string): string | undefined {
  try {
    const base64 = decodeURIComponent(text)
      .replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
