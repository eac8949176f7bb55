/**
 * The ways to a target: shadowsocks servers, proxies on the way, direct, none
 * at all, groups that pick one, and the router with its rules.
 *
 * @module
 */

export * from "./acl.ts";
export * from "./acl_parser.ts";
export * from "./basic.ts";
export * from "./groups.ts";
export * from "./proxies.ts";
export * from "./shadowsocks.ts";
export { canonicalHost } from "./_host_name.ts";
