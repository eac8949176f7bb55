/**
 * Fallbacks that lead back to a server of the same configuration.
 *
 * @module
 */

import {
  formatHostPort,
  isLoopbackIp,
  isUnspecifiedIp,
  parseIp,
} from "../../loop/mod.ts";
import type { Context } from "../_context.ts";
import type { Spot } from "../formats/_place.ts";
import type { HostPort } from "../types.ts";

/** A server, as far as it matters here. */
interface Falling {
  /** What messages call it. */
  readonly label: string;
  /** Where it stands. */
  readonly at: Spot | undefined;
  readonly config: HostPort & { readonly fallback: HostPort | undefined };
}

/**
 * Refuses fallbacks by which a stranger would come back again and again, until
 * no descriptor is left.
 *
 * @param servers The servers.
 * @param context Takes what is wrong.
 */
export function refuseLoops(
  servers: readonly Falling[],
  context: Context,
): void {
  for (const { config: { fallback }, label, at } of servers) {
    if (fallback === undefined) continue;
    if (!servers.some(({ config }) => listensAt(config, fallback))) continue;
    context.findings.refuse(
      `"fallback" of ${label} is ${formatHostPort(fallback)}, where a server ` +
        "of this file listens: name the web server's own address",
      at,
    );
  }
}

function listensAt({ host, port }: HostPort, place: HostPort): boolean {
  if (port === 0 || port !== place.port) return false;
  if (host === place.host) return true;
  const [own, other] = [parseIp(host), parseIp(place.host)];
  const isEvery = own !== undefined && isUnspecifiedIp(own);
  return isEvery && (place.host === "localhost" ||
    other !== undefined && (isLoopbackIp(other) || isUnspecifiedIp(other)));
}
