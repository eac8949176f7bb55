/**
 * The protocols of listeners: what speaks with whoever connects to us.
 *
 * @module
 */

export * from "./header_target.ts";
export * from "./shadowsocks.ts";
export * from "./shadowsocks_packets.ts";
