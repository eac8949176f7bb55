/**
 * The protocols of listeners: what speaks with whoever connects to us.
 *
 * @module
 */

export * from "./header_target.ts";
export * from "./mixed.ts";
export * from "./proxy_users.ts";
export * from "./socks.ts";
export * from "./socks_packets.ts";
export * from "./tunnel.ts";
