/**
 * Forbidden networks for names that somebody else will look up: a proxy on the
 * way. What a name means there cannot be known here; what it means here, and
 * what it means everywhere, is refused.
 *
 * @module
 */

import type { DnsAnswer, Resolver } from "../dns/mod.ts";
import type { IpNetworks } from "./acl/ip_networks.ts";

/** What a name is refused for. */
export interface ForbiddenName {
  /** The network, or what kind of name it is. */
  readonly network: string;
  /** The address that lies in it, or the name. */
  readonly host: string;
}

/**
 * A name whose last label is a number: many programs take it for an IPv4
 * address in a short, decimal, octal or hexadecimal form (inet_aton(3)).
 */
const NUMERIC = /(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/i;
/** RFC 6761, section 6.3: it is the machine of whoever looks it up. */
const LOCALHOST = /(?:^|\.)localhost\.?$/i;

/**
 * Tells whether a name must not be handed to a proxy.
 *
 * @param host The name.
 * @param options The networks, and who looks names up.
 * @param done Called once with the reason; undefined: it may. At once unless
 * the name must be looked up.
 * @returns Takes the question back; undefined if it was answered.
 */
export function askForbidden(
  host: string,
  options: { readonly networks: IpNetworks; readonly resolver: Resolver },
  done: (forbidden: ForbiddenName | undefined) => void,
): (() => void) | undefined {
  const { networks, resolver } = options;
  const kind = NUMERIC.test(host)
    ? "number"
    : LOCALHOST.test(host)
    ? "localhost"
    : undefined;
  if (kind !== undefined) {
    done({ network: kind, host });
    return undefined;
  }
  let isAnswered = false;
  const onAnswer = ({ addresses }: DnsAnswer): void => {
    isAnswered = true;
    for (const bytes of addresses) {
      const network = networks.find(bytes);
      if (network !== undefined) return done({ network, host });
    }
    done(undefined);
  };
  resolver.resolve(host, onAnswer);
  return isAnswered ? undefined : () => resolver.removeCallback(onAnswer);
}
