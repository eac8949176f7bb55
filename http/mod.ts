/**
 * Codec of HTTP/1 for proxies (RFC 9110, RFC 9112): heads, bodies, Basic
 * credentials and a proxy's own answers. Bytes in, values out, no I/O.
 *
 * @module
 */

export * from "./authority.ts";
export * from "./basic.ts";
export * from "./body.ts";
export * from "./byte_writer.ts";
export * from "./connect.ts";
export * from "./fields.ts";
export * from "./head_buffer.ts";
export * from "./reply.ts";
export * from "./request_head.ts";
export * from "./response_head.ts";
export * from "./text.ts";
