/**
 * Codecs of SOCKS 4, 4a and 5 and of the shadowsocks address header: bytes in, values
 * out, no I/O.
 *
 * @module
 */

export * from "./address.ts";
export * from "./client.ts";
export * from "./constants.ts";
export * from "./greeting.ts";
export * from "./password.ts";
export * from "./request.ts";
export * from "./socks4.ts";
export * from "./udp.ts";
