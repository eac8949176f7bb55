/**
 * Proxies of others in front of outbounds; loaded where there are some.
 *
 * @module
 */

export * from "./http_proxy.ts";
export * from "./proxy_chain.ts";
export * from "./socks5_proxy.ts";
