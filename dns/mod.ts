/**
 * Host names to IP addresses, over the loop.
 *
 * @module
 */

export type { CommonResolverOptions } from "./_core.ts";
export * from "./choose.ts";
export * from "./resolver.ts";
export * from "./system_resolver.ts";
export * from "./types.ts";
export * from "./listen_address.ts";
