/**
 * What visitors of a web server begin with.
 *
 * @module
 */

/**
 * The beginnings of HTTP requests (RFC 9110, section 9.3; RFC 5789; RFC 9113,
 * section 3.4). What follows a method is a path, the scheme of a whole URL or,
 * with OPTIONS, an asterisk. Five bytes and more: a random salt begins with one
 * of them once in 10^11 connections.
 */
const BEGINNINGS: readonly Uint8Array[] = [
  "GET /",
  "GET h",
  "PUT /",
  "POST /",
  "POST h",
  "HEAD /",
  "HEAD h",
  "PATCH /",
  "TRACE /",
  "DELETE /",
  "OPTIONS ",
  "CONNECT ",
  "PRI * HTTP/2.0",
].map((text) => new TextEncoder().encode(text));

/** Type 22 (handshake) and the major version of a TLS record (RFC 8446, 5.1). */
const TLS_RECORD = [22, 3];
/** The newest minor version in a record; TLS 1.3 has that of 1.0 or 1.2. */
const MAX_TLS_MINOR = 4;
/** The longest record is 2^14 bytes. */
const MAX_TLS_LENGTH = 0x40;
/** Type of a ClientHello (RFC 8446, section 4), and where it stands. */
const CLIENT_HELLO = 1;
const CLIENT_HELLO_AT = 5;

/**
 * Tells whether bytes are the beginning of an HTTP request or of a TLS
 * connection, and surely none of shadowsocks.
 *
 * @param data The first bytes of a connection.
 * @returns False also if they are too few to tell.
 */
export function isWebRequest(data: Uint8Array): boolean {
  return isClientHello(data) ||
    BEGINNINGS.some((each) => each.every((byte, i) => data[i] === byte));
}

/** The length of a ClientHello is below 65,536: its first byte is 0. */
function isClientHello(data: Uint8Array): boolean {
  return TLS_RECORD.every((byte, i) => data[i] === byte) &&
    data[2]! <= MAX_TLS_MINOR && data[3]! <= MAX_TLS_LENGTH &&
    data[CLIENT_HELLO_AT] === CLIENT_HELLO && data[CLIENT_HELLO_AT + 1] === 0;
}
