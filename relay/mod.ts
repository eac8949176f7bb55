/**
 * What moves bytes: TCPRelay, UDPRelay, and the roles made of them.
 *
 * @module
 */

export * from "./constants.ts";
export { Manager } from "./manager.ts";
export * from "./service.ts";
export * from "./settings.ts";
export { TCPRelay, type TCPRelayOptions } from "./tcp_relay.ts";
export { TCPRelayHandler } from "./tcp_relay_handler.ts";
export { UDPRelay, type UDPRelayOptions } from "./udp_relay.ts";
export * from "./codec.ts";
export * from "./inbound.ts";
export * from "./outbound.ts";
export * from "./packet.ts";
export * from "./router.ts";
export * from "./session.ts";
export * from "./status.ts";
export * from "./target.ts";
