/**
 * What a local listener speaks.
 *
 * @module
 */

import type { LocalConfig } from "../config/mod.ts";
import {
  HttpInbound,
  MixedInbound,
  SocksInbound,
  SocksPackets,
  TunnelInbound,
  TunnelPackets,
} from "../inbound/local.ts";
import { type Inbound, type PacketInbound, Target } from "../relay/mod.ts";

/** The TCP and the UDP side of a local listener. */
export interface LocalInbound {
  /** What its connections speak. */
  readonly inbound: Inbound;
  /** What its datagrams mean; undefined: it has no UDP. */
  readonly packets: PacketInbound | undefined;
  /** True if an association is asked for by a connection. */
  readonly udpNeedsTcp: boolean;
}

/**
 * Makes the inbound of a local listener.
 *
 * @param local Its configuration.
 * @returns Its two sides.
 */
export function localInbound(local: LocalConfig): LocalInbound {
  const { protocol, users, mode, forward } = local;
  if (protocol === "tunnel" && forward !== undefined) {
    const target = Target.of(forward.host, forward.port);
    return {
      inbound: new TunnelInbound(target),
      packets: new TunnelPackets(target),
      udpNeedsTcp: false,
    };
  }
  const http = new HttpInbound({ users, mode });
  if (protocol === "http") {
    return { inbound: http, packets: undefined, udpNeedsTcp: true };
  }
  return {
    inbound: new MixedInbound({
      socks: new SocksInbound({ users, mode }),
      http,
    }),
    packets: new SocksPackets({ hasUsers: users.length > 0 }),
    udpNeedsTcp: true,
  };
}
