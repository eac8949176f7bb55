/**
 * Words that values are one of: each list stands here alone, the types and the
 * forms of values are made of it.
 *
 * @module
 */

/** Which protocols are relayed. */
export const MODES = ["tcp_only", "tcp_and_udp", "udp_only"] as const;

/** What a local speaks. */
export const PROTOCOLS = ["mixed", "socks", "http", "tunnel"] as const;

/** What a local of shadowsocks-rust speaks beside {@linkcode PROTOCOLS}. */
export const FOREIGN_PROTOCOLS: ReadonlySet<unknown> = new Set([
  "redir",
  "dns",
  "tun",
  "fake-dns",
]);

/** Where used salts are remembered. */
export const REPLAY_MODES = ["persist", "memory", "off"] as const;

/** What a server of the 2022 edition does with who does not authenticate. */
export const REJECTIONS = ["reset", "drain", "silent"] as const;

/** How a group picks one of its members. */
export const STRATEGIES = [
  "latency",
  "failover",
  "round-robin",
  "random",
  "sticky",
  "select",
] as const;
