/**
 * The outbounds and rules that every process has: direct, block, and the
 * router.
 *
 * @module
 */

export * from "./block.ts";
export * from "./direct.ts";
export * from "./acl/ip_networks.ts";
export * from "./forbidden_networks.ts";
export * from "./own_addresses.ts";
export * from "./router.ts";
