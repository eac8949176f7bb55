/**
 * Proxies of others on the way; loaded where there are some.
 *
 * @module
 */

export * from "./http_proxy.ts";
export * from "./proxy_chain.ts";
export * from "./socks5_proxy.ts";
