/**
 * Which resolver fits this system.
 *
 * @module
 */

import type { EventLoop } from "../loop/mod.ts";
import { DNSResolver, type DNSResolverOptions } from "./resolver.ts";
import { SystemResolver } from "./system_resolver.ts";
import type { Resolver } from "./types.ts";

/**
 * Makes the resolver for this system: {@linkcode SystemResolver} on Windows,
 * which has no resolv.conf, unless servers are given; else
 * {@linkcode DNSResolver}.
 *
 * @param loop The loop.
 * @param options Options of both.
 * @returns The resolver; the caller closes it.
 */
export function makeResolver(
  loop: EventLoop,
  options: DNSResolverOptions = {},
): Resolver {
  const servers = options.servers?.length ?? 0;
  return Deno.build.os === "windows" && servers === 0
    ? new SystemResolver(loop, options)
    : new DNSResolver(loop, options);
}
