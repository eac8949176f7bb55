/**
 * The ways to targets.
 *
 * @module
 */

export * from "./shadowsocks.ts";
