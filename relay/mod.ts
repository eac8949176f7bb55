/**
 * What moves bytes: `TCPRelay` and `UDPRelay`, and the contracts of everything
 * that they work with: inbounds, outbounds, the router, codecs, observers.
 *
 * @module
 */

export { RelayBuffers } from "./buffers.ts";
export * from "./codec.ts";
export * from "./connector.ts";
export { STREAM_DOWN, STREAM_UP } from "./constants.ts";
export * from "./dialer.ts";
export type { FirstFlight } from "./first_flight.ts";
export type * from "./inbound.ts";
export { LRUCache, type LRUCacheOptions } from "./lru_cache.ts";
export * from "./opener.ts";
export type * from "./outbound.ts";
export * from "./packet.ts";
export type { PipeContext, PipeOwner } from "./pipe.ts";
export type { QuietConnection, QuietEnds, QuietPipe } from "./quiet_ends.ts";
export type * from "./relay_context.ts";
export type * from "./router.ts";
export * from "./session.ts";
export * from "./status.ts";
export * from "./target.ts";
export { TCPRelay, type TCPRelayOptions } from "./tcp_relay.ts";
export { TCPRelayHandler } from "./tcp_relay_handler.ts";
export { UDPRelay, type UDPRelayOptions } from "./udp_relay.ts";
