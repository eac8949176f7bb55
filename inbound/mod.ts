/**
 * What speaks with whoever connects to us: one file a protocol.
 *
 * @module
 */

export * from "./http.ts";
