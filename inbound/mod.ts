/**
 * What speaks with whoever connects to us: SOCKS, HTTP, both on one port,
 * tunnels, and on the server shadowsocks.
 *
 * @module
 */

export * from "./header_target.ts";
export * from "./local.ts";
export * from "./server.ts";
