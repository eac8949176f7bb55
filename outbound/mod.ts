/**
 * The ways to a target: one file a protocol, groups, and the router.
 *
 * @module
 */

export * from "./http_proxy.ts";
