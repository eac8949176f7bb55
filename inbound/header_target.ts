/**
 * From address headers to targets, and back.
 *
 * @module
 */

import { SocketAddress } from "../loop/mod.ts";
import { Target } from "../relay/mod.ts";
import {
  addressLength,
  ATYP_DOMAIN,
  ATYP_IPV4,
  type Endpoint,
  type ParsedAddress,
  writeAddress,
} from "../socks5/mod.ts";

/**
 * The target that a header names.
 *
 * @param bytes The bytes that were parsed.
 * @param address What was found in them; `hostOffset` counts from the
 * beginning of `bytes`.
 * @returns The target; a name that is the text of an IP address is that
 * address.
 */
export function headerTarget(
  bytes: Uint8Array,
  { type, hostOffset, domain, port }: ParsedAddress,
): Target {
  if (type === ATYP_DOMAIN) return Target.of(domain, port);
  return Target.ofAddress(
    type === ATYP_IPV4
      ? SocketAddress.fromIpv4(bytes, hostOffset, port)
      : SocketAddress.fromIpv6(bytes, hostOffset, port),
  );
}

/**
 * The header of a target.
 *
 * @param target A name or an address, and a port.
 * @returns ATYP ‖ ADDR ‖ PORT in new bytes.
 * @throws {RangeError} If the target cannot be written.
 */
export function targetHeader(target: Target): Uint8Array {
  const endpoint: Endpoint = target.address ?? target;
  const header = new Uint8Array(addressLength(endpoint));
  writeAddress(header, 0, endpoint);
  return header;
}
