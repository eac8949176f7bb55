/**
 * What names mean that somebody else will look up: a proxy on the way. What a
 * name means there cannot be known here; what it means here, and what it means
 * everywhere, can be forbidden.
 *
 * @module
 */

import type { DnsAnswer, ResolveOptions, Resolver } from "../dns/mod.ts";
import { lookUp } from "./_look_up.ts";

/** What a name means, as far as that is known here. */
export type NameMeaning =
  /** Its addresses; none: only the proxy may know some. */
  | readonly Uint8Array[]
  /** An IPv4 address in a form that programs read in different ways. */
  | "number"
  /** The machine of whoever looks it up. */
  | "localhost"
  /** No host name: `::1%lo` and others that some programs accept. */
  | "invalid-name"
  /** Unknown, since too many names are being looked up. */
  | "busy";

/**
 * A name whose last label is a number: many programs take it for an IPv4
 * address in a short, decimal, octal or hexadecimal form (inet_aton(3)).
 */
const NUMERIC = /(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/i;
/** RFC 6761, section 6.3: it is the machine of whoever looks it up. */
const LOCALHOST = /(?:^|\.)localhost\.?$/i;

/**
 * Finds out what a name means.
 *
 * @param host The name.
 * @param from Who looks it up, for whom, and the answer if that was done already.
 * @param done Called once with the meaning; at once unless the name must be
 * looked up.
 * @returns Takes the question back; undefined if it was answered.
 */
export function askMeaning(
  host: string,
  from: {
    readonly resolver: Resolver;
    readonly answer: DnsAnswer | undefined;
    readonly asker?: ResolveOptions["asker"];
  },
  done: (meaning: NameMeaning) => void,
): (() => void) | undefined {
  if (NUMERIC.test(host)) return void done("number");
  if (LOCALHOST.test(host)) return void done("localhost");
  const { resolver, answer, asker } = from;
  if (answer !== undefined) return void done(meaningOf(answer));
  const onAnswer = (found: DnsAnswer): void => done(meaningOf(found));
  return lookUp(host, resolver, onAnswer, asker);
}

function meaningOf({ addresses, error }: DnsAnswer): NameMeaning {
  const code = error?.code;
  return code === "invalid-name" || code === "busy" ? code : addresses;
}
