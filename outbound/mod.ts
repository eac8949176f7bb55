/**
 * The ways to a target: shadowsocks servers, proxies on the way, direct, none
 * at all, groups that pick one, and the router with its rules.
 *
 * @module
 */

export * from "./build_groups.ts";
export * from "./group.ts";
export * from "./health.ts";
export * from "./http_prober.ts";
export * from "./probe_schedule.ts";
export * from "./prober.ts";
export * from "./proxy_chain.ts";
export * from "./shadowsocks.ts";
export * from "./socks5_proxy.ts";
export * from "./strategy.ts";
export * from "./timing.ts";
export * from "./watched_outbound.ts";
export * from "./way.ts";
