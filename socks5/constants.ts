/**
 * Numbers of SOCKS versions 4 and 5 (RFC 1928, RFC 1929) and of the shadowsocks
 * address header.
 *
 * @module
 */

/** VER of every SOCKS5 message but the username sub-negotiation. */
export const SOCKS_VERSION = 0x05;

/** Method: no authentication required (RFC 1928, section 3). */
export const METHOD_NOAUTH = 0x00;
/** Method: user name and password (RFC 1929). */
export const METHOD_USER_PASSWORD = 0x02;
/** Method: none of the offered methods is acceptable. */
export const METHOD_NO_ACCEPTABLE = 0xff;

/** Command: open a TCP connection (RFC 1928, section 4). */
export const CMD_CONNECT = 0x01;
/** Command: wait for a TCP connection. */
export const CMD_BIND = 0x02;
/** Command: relay UDP datagrams. */
export const CMD_UDP_ASSOCIATE = 0x03;

/** Address type: 4 bytes of IPv4 (RFC 1928, section 5). */
export const ATYP_IPV4 = 0x01;
/** Address type: one length byte, then a host name without a final NUL. */
export const ATYP_DOMAIN = 0x03;
/** Address type: 16 bytes of IPv6. */
export const ATYP_IPV6 = 0x04;
/** Bit of the address type that announces one-time authentication. */
export const ADDRTYPE_AUTH = 0x10;

/** Reply: succeeded (RFC 1928, section 6). */
export const REPLY_SUCCEEDED = 0x00;
/** Reply: general SOCKS server failure. */
export const REPLY_GENERAL_FAILURE = 0x01;
/** Reply: connection not allowed by rule set. */
export const REPLY_NOT_ALLOWED = 0x02;
/** Reply: network unreachable. */
export const REPLY_NETWORK_UNREACHABLE = 0x03;
/** Reply: host unreachable. */
export const REPLY_HOST_UNREACHABLE = 0x04;
/** Reply: connection refused. */
export const REPLY_CONNECTION_REFUSED = 0x05;
/** Reply: TTL expired; also used for a connect that timed out. */
export const REPLY_TTL_EXPIRED = 0x06;
/** Reply: command not supported. */
export const REPLY_COMMAND_NOT_SUPPORTED = 0x07;
/** Reply: address type not supported. */
export const REPLY_ADDRESS_TYPE_NOT_SUPPORTED = 0x08;

/** The longest domain name that the address header has room for. */
export const MAX_DOMAIN_LENGTH = 255;
/** The longest address header: type, length, 255 bytes of name, port. */
export const MAX_ADDRESS_LENGTH: number = 1 + 1 + MAX_DOMAIN_LENGTH + 2;

/** VN of every SOCKS4 request. */
export const SOCKS4_VERSION = 0x04;
/** SOCKS4 reply: granted. */
export const SOCKS4_GRANTED = 0x5a;
/** SOCKS4 reply: rejected or failed. */
export const SOCKS4_REJECTED = 0x5b;
