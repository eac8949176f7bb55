/**
 * The target that an address header names.
 *
 * @module
 */

import { SocketAddress } from "../loop/mod.ts";
import { ATYP_DOMAIN, ATYP_IPV4, type ParsedAddress } from "../socks5/mod.ts";

/** How a server reads headers: they may ask for one-time authentication. */
export const ALLOW_ONE_TIME_AUTH: { readonly allowOneTimeAuth: true } = {
  allowOneTimeAuth: true,
};

/**
 * The IP address and port of a header.
 *
 * @param bytes The bytes that were parsed.
 * @param address What was found in them.
 * @returns The address; undefined if the header has a name.
 */
export function ipTarget(
  bytes: Uint8Array,
  { type, hostOffset, port }: ParsedAddress,
): SocketAddress | undefined {
  if (type === ATYP_DOMAIN) return undefined;
  return type === ATYP_IPV4
    ? SocketAddress.fromIpv4(bytes, hostOffset, port)
    : SocketAddress.fromIpv6(bytes, hostOffset, port);
}
