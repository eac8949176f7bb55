/**
 * Readers of addresses, and of lists and maps.
 *
 * @module
 */

import {
  expandForbidden,
  formatCidr,
  OWN,
  parseCidrList,
} from "../../loop/mod.ts";
import { shownBare } from "../_shown.ts";
import { readHostPort, readHostText } from "./_hosts.ts";
import { LISTEN_PORT, listenPortOf, PORT, portOf, textOf } from "./_readers.ts";
import type { Report } from "../keys/_shape.ts";
import type { HostPort } from "../types.ts";

/** The port of a manager address that came without one. */
export const NO_PORT = 0;

/** Where the manager listens. */
export type ManagerAddress = HostPort | { readonly path: string };

const HOST = "an IP address or a host name";

/**
 * Reads a host.
 *
 * @param value The value as given.
 * @param report Where to report.
 * @returns The checked value; undefined after a report.
 */
export function readHost(
  value: unknown,
  report: Report,
): string | undefined {
  return hostOf(value) ?? report.expected(`${HOST}${hostHint(value)}`);
}

/** What to do about what was given in place of a host. */
function hostHint(value: unknown): string {
  if (typeof value !== "string") return "";
  if (/^ss:\/\//.test(value)) return "; a link goes to --server-url";
  if (value.includes("://")) return ", without scheme and path";
  return readHostPort(value) === undefined
    ? ""
    : "; the port has a key of its own";
}

/**
 * Reads `host:port`.
 *
 * @param value The value as given.
 * @param report Where to report.
 * @returns The checked value; undefined after a report.
 */
export function readEndpoint(
  value: unknown,
  report: Report,
): HostPort | undefined {
  const endpoint = typeof value === "string" ? readHostPort(value) : undefined;
  return endpoint ?? report.expected("host:port");
}

/**
 * Reads where a manager listens: `host:port`, or the path of a socket.
 *
 * @param value The value as given.
 * @param report Where to report.
 * @returns The checked value; undefined after a report.
 */
export function readManagerAddress(
  value: unknown,
  report: Report,
): ManagerAddress | undefined {
  const text = textOf(value);
  const expected = "host:port, or the path of a socket";
  if (text === undefined || text.includes("\0")) {
    return report.expected(expected);
  }
  if (/[/\\]/.test(text)) return { path: text };
  const isHost = text.includes(":") || /^[\d.]+$|^localhost$/.test(text);
  if (!isHost) return { path: text };
  return readHostPort(text, NO_PORT) ?? report.expected(expected);
}

/**
 * Reads a port or a list of ports.
 *
 * @param value The value as given.
 * @param report Where to report.
 * @returns The checked value; undefined after a report.
 */
export function readPorts(
  value: unknown,
  report: Report,
): readonly number[] | undefined {
  return readList(value, report, {
    one: listenPortOf,
    expected: LISTEN_PORT,
    or: "a list of such ports",
  });
}

/**
 * Reads a host or a list of hosts.
 *
 * @param value The value as given.
 * @param report Where to report.
 * @returns The checked value; undefined after a report.
 */
export function readHosts(
  value: unknown,
  report: Report,
): readonly string[] | undefined {
  return readList(value, report, {
    one: hostOf,
    expected: HOST,
    or: "a list of such hosts",
    hint: hostHint,
  });
}

/**
 * Reads name servers: addresses, each with or without a port.
 *
 * @param value The value as given.
 * @param report Where to report.
 * @returns The checked value; undefined after a report.
 */
export function readNameServers(
  value: unknown,
  report: Report,
): readonly HostPort[] | undefined {
  const list = typeof value === "string" && value.includes(",")
    ? value.split(",").map((entry) => entry.trim())
    : value;
  return readList(list, report, {
    one: nameServerOf,
    expected: "an IP address, with or without a port",
    or: "a list of such addresses",
  });
}

/**
 * Reads networks, as a list or separated by commas.
 *
 * @param value The value as given.
 * @param report Where to report.
 * @returns The checked value; undefined after a report.
 */
export function readNetworks(
  value: unknown,
  report: Report,
): readonly string[] | undefined {
  const isList = Array.isArray(value) &&
    value.every((entry) => typeof entry === "string");
  if (typeof value !== "string" && !isList) {
    return report.expected("networks such as 10.0.0.0/8, or a list of them");
  }
  const { networks: entries, own } = expandForbidden(value);
  const networks = new Set<string>();
  let isGood = true;
  for (const entry of entries) {
    try {
      const onGuess = (line: string): void => report.warn(line);
      for (const network of parseCidrList([entry], { onGuess })) {
        networks.add(formatCidr(network));
      }
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      report.refused(shownBare(error.message), {
        exitCode: 2,
        // Once, behind the first.
        ...(isGood && { advice: NETWORKS_ADVICE }),
      });
      isGood = false;
    }
  }
  if (own) networks.add(OWN);
  if (isGood && networks.size === 0 && String(value) !== "") {
    report.warn(
      "forbidden_ip names nothing that is forbidden: clients reach what " +
        'listens on this machine\'s loopback; "" says so without this line',
    );
  }
  return isGood ? [...networks] : undefined;
}

const NETWORKS_ADVICE = '"forbidden_ip" takes networks: 10.0.0.0/8, ' +
  "2001:db8::/32, an address alone, or words such as private and own";

/**
 * Reads the URL that a group probes.
 *
 * @param value The value as given; an empty text turns probing off.
 * @param report Where to report.
 * @returns The checked value; undefined after a report.
 */
export function readProbeUrl(
  value: unknown,
  report: Report,
): string | undefined {
  if (value === "") return value;
  if (typeof value === "string" && value.includes("@")) {
    return report.refused(
      "the URL to probe holds a user and a password: probes send none",
    );
  }
  const isGood = typeof value === "string" && /^http:\/\//i.test(value) &&
    URL.canParse(value) && !/\s/.test(value);
  return isGood ? value : report.expected("an http:// URL");
}

/**
 * Reads a list of names.
 *
 * @param value The value as given.
 * @param report Where to report.
 * @returns The checked value, names once each; undefined after a report.
 */
export function readNames(
  value: unknown,
  report: Report,
): readonly string[] | undefined {
  const expected = 'a list of names, such as ["a", "b"]';
  if (!Array.isArray(value)) return report.expected(expected);
  const names = new Set<string>();
  for (const [i, entry] of value.entries()) {
    const name = textOf(entry);
    if (name === undefined) {
      return report.expected("a name", { path: [i], value: entry });
    }
    names.add(name);
  }
  return [...names];
}

/**
 * Reads a map of ports to passwords.
 *
 * @param value The value as given.
 * @param report Where to report.
 * @returns The checked value; undefined after a report.
 */
export function readPortPassword(
  value: unknown,
  report: Report,
): ReadonlyMap<number, string> | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return report.expected('passwords by port, such as { "8388": "…" }');
  }
  const passwords = new Map<number, string>();
  let isGood = true;
  for (const [key, password] of Object.entries(value)) {
    const port = portOf(key);
    if (port === undefined) {
      isGood = false;
      report.expected(`${PORT} as its key`, { path: [key], value: key });
    } else if (textOf(password) === undefined) {
      isGood = false;
      report.expected(`a password in quotes for port ${port}`, {
        path: [key],
        value: password,
      });
    } else {
      passwords.set(port, password);
    }
  }
  if (!isGood) return undefined;
  return passwords.size > 0 ? passwords : report.expected("at least one port");
}

function hostOf(value: unknown): string | undefined {
  return typeof value === "string" ? readHostText(value) : undefined;
}

function nameServerOf(value: unknown): HostPort | undefined {
  const server = typeof value === "string"
    ? readHostPort(value, 53)
    : undefined;
  const isLiteral = server !== undefined && /^[\d.]+$|:/.test(server.host);
  return isLiteral ? server : undefined;
}

interface ListForm<T> {
  readonly one: (value: unknown) => T | undefined;
  readonly expected: string;
  readonly or: string;
  /** What to do about a single value that is wrong. */
  readonly hint?: (value: unknown) => string;
}

/** One value or a list of such; repeated values count once. */
function readList<T>(
  value: unknown,
  report: Report,
  form: ListForm<T>,
): readonly T[] | undefined {
  if (!Array.isArray(value)) {
    const single = form.one(value);
    return single !== undefined ? [single] : report.expected(
      `${form.expected}, or ${form.or}${form.hint?.(value) ?? ""}`,
    );
  }
  const list: T[] = [];
  for (const [i, entry] of value.entries()) {
    const item = form.one(entry);
    if (item === undefined) {
      return report.expected(form.expected, { path: [i], value: entry });
    }
    if (!list.includes(item)) list.push(item);
  }
  return list.length > 0 ? list : report.expected(form.or);
}
