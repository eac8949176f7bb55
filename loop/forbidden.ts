/**
 * What the entries of `forbidden_ip` mean: networks, and words for some.
 *
 * @module
 */

/** The word for the addresses of this machine, whatever they are just now. */
export const OWN = "own";

/** What the word `multicast` stands for: groups, and everybody at once. */
const MULTICAST: readonly string[] = [
  "224.0.0.0/4", // RFC 5771
  "ff00::/8", // RFC 4291, section 2.7
  "255.255.255.255/32", // limited broadcast, RFC 919
];

/**
 * What clouds give their machines credentials by, beside link-local addresses.
 * To nobody else they mean anything.
 */
const METADATA: readonly string[] = [
  "100.100.100.200/32", // Alibaba Cloud
  "168.63.129.16/32", // Azure
  "192.0.0.192/32", // Oracle Cloud, older machines
  "fd00:ec2::254/128", // AWS
  "fd20:ce::254/128", // Google Cloud
];

/** What a server forbids when nothing is configured: the word `default`. */
export const DEFAULT_FORBIDDEN: readonly string[] = [
  "127.0.0.0/8", // loopback
  "::1/128",
  "0.0.0.0/8", // "this host": connects to loopback on most systems
  "::/128",
  "169.254.0.0/16", // link-local, and the metadata service of most clouds
  "fe80::/10",
  ...METADATA,
  ...MULTICAST,
  OWN,
];

/** What the word `private` stands for. */
const PRIVATE: readonly string[] = [
  ...DEFAULT_FORBIDDEN,
  "10.0.0.0/8", // RFC 1918
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10", // carrier-grade NAT, RFC 6598
  "fc00::/7", // unique local, RFC 4193
  "fec0::/10", // site-local, RFC 3879
];

/** What each word adds. */
const ADDED: ReadonlyMap<string, readonly string[]> = new Map([
  ["default", DEFAULT_FORBIDDEN],
  ["private", PRIVATE],
  ["multicast", MULTICAST],
  [OWN, [OWN]],
]);

/** What each word takes out of the others. */
const ALLOWED: ReadonlyMap<string, readonly string[]> = new Map([
  ["allow-multicast", MULTICAST],
  ["allow-own", [OWN]],
]);

/** The words, for messages and schemas. */
export const FORBIDDEN_WORDS: readonly string[] = [
  ...ADDED.keys(),
  ...ALLOWED.keys(),
];

/** What is forbidden. */
export interface Forbidden {
  /** Networks, as they were written. */
  readonly networks: readonly string[];
  /** Whether the addresses of this machine are. */
  readonly own: boolean;
}

/**
 * Puts what they stand for in place of the words. Words that allow take their
 * part out of the other words; alone they take it out of `default`.
 *
 * @param entries A list of, or separated by commas, networks and words; empty
 * ones are skipped.
 * @returns Networks that are not checked yet.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { expandForbidden } from "./forbidden.ts";
 * assert(!expandForbidden("allow-own").own);
 * assert(expandForbidden("default").own);
 * ```
 */
export function expandForbidden(
  entries: string | readonly string[],
): Forbidden {
  const list = (typeof entries === "string" ? entries.split(",") : entries)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  const wordOf = (entry: string): string => entry.toLowerCase();
  const allowed = new Set(
    list.flatMap((each) => ALLOWED.get(wordOf(each)) ?? []),
  );
  const others = list.filter((each) => !ALLOWED.has(wordOf(each)));
  if (others.length === 0 && list.length > 0) others.push("default");
  const networks: string[] = [];
  let own = false;
  for (const entry of others) {
    for (const each of ADDED.get(wordOf(entry)) ?? [entry]) {
      if (allowed.has(each) && each !== entry) continue;
      if (each === OWN) own ||= !allowed.has(OWN);
      else networks.push(each);
    }
  }
  return { networks, own };
}
