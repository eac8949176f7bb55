/**
 * The hosts file: an address and its names on each line.
 *
 * `localhost` and the names below it mean the loopback addresses whatever the
 * file says of others, and never reach a name server (RFC 6761, section 6.3).
 *
 * @module
 */

import { parseIp, unmapIp } from "../loop/mod.ts";
import { normalizeHostname } from "./_name.ts";
import { type FileSource, WatchedFile } from "./_watched_file.ts";

/** Names in lower case, and their addresses in the order of the file. */
export type HostsTable = ReadonlyMap<string, readonly Uint8Array[]>;

/** Seconds between two looks at the file, which takes a system call. */
const CHECK_INTERVAL = 5;

const LOOPBACK: readonly Uint8Array[] = [
  new Uint8Array([127, 0, 0, 1]),
  new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
];

/**
 * Reads the text of a hosts file. Lines that cannot be read are skipped.
 *
 * @param text The text.
 * @returns Its names.
 */
export function parseHosts(text: string): HostsTable {
  const table = new Map<string, Uint8Array[]>();
  for (const line of text.split(/\r\n|\n|\r/)) {
    const [host = "", ...names] = line.replace(/#.*$/, "").trim().split(/\s+/);
    const address = parseIp(host);
    if (address === undefined) continue;
    for (const name of names.map(normalizeHostname)) {
      const known = table.get(name);
      if (known === undefined) table.set(name, [unmapIp(address)]);
      else known.push(unmapIp(address));
    }
  }
  return table;
}

/**
 * Where this system keeps its hosts file.
 *
 * @returns The path.
 */
export function defaultHostsPath(): string {
  if (Deno.build.os !== "windows") return "/etc/hosts";
  let root = "C:\\Windows";
  try {
    root = Deno.env.get("SystemRoot") ?? root;
  } catch {
    // The environment may not be read; the usual place is as good a guess.
  }
  return `${root}\\System32\\drivers\\etc\\hosts`;
}

/** The hosts file, read again when it changes. */
export class HostsFile {
  readonly #file: WatchedFile<HostsTable>;

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
      parse: (text) => parseHosts(text ?? ""),
    });
  }

  /**
   * The addresses of a name.
   *
   * @param name In the form of `normalizeHostname`.
   * @param now Seconds of a monotonic clock.
   * @returns The addresses, or undefined if the file does not have the name.
   */
  lookup(name: string, now: number): readonly Uint8Array[] | undefined {
    const found = this.#file.get(now).get(name);
    if (found !== undefined) return found;
    return name === "localhost" || name.endsWith(".localhost")
      ? LOOPBACK
      : undefined;
  }
}
