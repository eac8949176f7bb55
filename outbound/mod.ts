/**
 * The ways to targets.
 *
 * @module
 */

export * from "./proxy_chain.ts";
export * from "./socks5_proxy.ts";
