/**
 * The ways to a target: shadowsocks servers, proxies on the way, direct, none
 * at all, groups that pick one, and the router with its rules.
 *
 * @module
 */

export * from "./acl.ts";
export * from "./acl_parser.ts";
export * from "./block.ts";
export * from "./build_groups.ts";
export * from "./direct.ts";
export * from "./group.ts";
export * from "./health.ts";
export * from "./http_prober.ts";
export * from "./http_proxy.ts";
export * from "./ip_networks.ts";
export * from "./probe_schedule.ts";
export * from "./prober.ts";
export * from "./proxy_chain.ts";
export * from "./router.ts";
export * from "./shadowsocks.ts";
export * from "./socks5_proxy.ts";
export * from "./strategy.ts";
export * from "./timing.ts";
export * from "./watched_outbound.ts";
export * from "./way.ts";
export { canonicalHost } from "./_host_name.ts";
