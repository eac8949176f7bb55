/**
 * Outbounds: shadowsocks servers, proxies in front of them, direct, block,
 * groups that pick one, and the router with its rules.
 *
 * @module
 */

export * from "./acl/mod.ts";
export * from "./basic.ts";
export * from "./groups/mod.ts";
export * from "./proxies/mod.ts";
export * from "./shadowsocks.ts";
export { canonicalHost } from "./acl/_host_name.ts";
