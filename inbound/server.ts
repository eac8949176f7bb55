/**
 * What a server's ports speak; loaded by servers alone.
 *
 * @module
 */

export * from "./shadowsocks.ts";
export * from "./shadowsocks_packets.ts";
