/**
 * What local listeners speak; loaded by clients alone.
 *
 * @module
 */

export * from "./http.ts";
export * from "./mixed.ts";
export type * from "./proxy_mode.ts";
export * from "./proxy_users.ts";
export * from "./socks.ts";
export * from "./socks_packets.ts";
export * from "./tunnel.ts";
