/**
 * Codecs of SOCKS5 and of the shadowsocks address header: bytes in, values
 * out, no I/O.
 *
 * @module
 */

export * from "./address.ts";
export * from "./constants.ts";
export * from "./greeting.ts";
export * from "./request.ts";
export * from "./udp.ts";
