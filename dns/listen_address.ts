/**
 * Where to listen: a host becomes an address.
 *
 * @module
 */

import { readAddress, SocketAddress, SocketError } from "../loop/mod.ts";
import type { Resolver } from "./types.ts";

/**
 * Finds the address to listen on.
 *
 * @param where An IP literal or a name, and a port.
 * @param resolver Looks names up.
 * @returns The address; of a name the first one.
 * @throws {SocketError} If the name has no address.
 */
export function listenAddress(
  where: { readonly host: string; readonly port: number },
  resolver: Resolver,
): Promise<SocketAddress> {
  const { host, port } = where;
  const address = readAddress(host, port);
  if (address !== undefined) return Promise.resolve(address);
  const { promise, resolve, reject } = Promise.withResolvers<SocketAddress>();
  resolver.resolve(host, ({ addresses: [first], error }) => {
    if (first !== undefined) return resolve(new SocketAddress(first, port));
    const detail = error?.message ?? "it has no address";
    reject(
      new SocketError("ENOTFOUND", `Cannot listen on "${host}": ${detail}`),
    );
  });
  return promise;
}
