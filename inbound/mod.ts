/**
 * What speaks with whoever connects to us: SOCKS, HTTP, both on one port,
 * tunnels, and on the server shadowsocks.
 *
 * @module
 */

export * from "./header_target.ts";
export * from "./http.ts";
export * from "./mixed.ts";
export * from "./proxy_users.ts";
export * from "./shadowsocks.ts";
export * from "./shadowsocks_packets.ts";
export * from "./socks.ts";
export * from "./socks_packets.ts";
export * from "./tunnel.ts";
