/**
 * Which networks a proxy of ours serves.
 *
 * @module
 */

/**
 * What the proxy of a listener serves: connections to targets, associations of
 * datagrams, or both. One of HTTP has no datagrams.
 */
export type ProxyMode = "tcp_only" | "tcp_and_udp" | "udp_only";
