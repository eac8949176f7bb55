/**
 * The stages, stream directions, wait states and sizes of a relayed
 * connection. Stages, directions and wait states have the original's names.
 *
 * ```text
 * INIT        the inbound takes bytes until there is a request
 * UDP_ASSOC   the connection holds a UDP association (SOCKS5)
 * DNS         the router decides, then the name of whom to connect to is
 *             looked up
 * FAST_OPEN   wait for the first payload, which leaves with the SYN
 * CONNECTING  connect to the server or the target, handshake of proxies
 * STREAM      pipe both directions
 * DRAINING    refused: read and throw away, say nothing
 * DESTROYED   both sockets are closed
 * ```
 *
 * @module
 */

/** The inbound takes bytes until there is a request. */
export const STAGE_INIT = 0;
/** The connection holds a UDP association, and lives as long as that. */
export const STAGE_UDP_ASSOC = 2;
/** The router decides, or a name is looked up. */
export const STAGE_DNS = 3;
/** Connecting to the other end. */
export const STAGE_CONNECTING = 4;
/** Piping both directions. */
export const STAGE_STREAM = 5;
/** Refused: read and throw away until the peer or the deadline ends it. */
export const STAGE_DRAINING = 6;
/** Fast open: waiting for the first payload, before connecting. */
export const STAGE_FAST_OPEN = 7;
/** Over: the sockets are closed and nothing holds the handler. */
export const STAGE_DESTROYED: number = -1;

/** From client to server: read local, write remote. */
export const STREAM_UP = 0;
/** From server to client: read remote, write local. */
export const STREAM_DOWN = 1;

/** The stream waits for nothing yet. */
export const WAIT_STATUS_INIT = 0;
/** The stream waits for its source to become readable. */
export const WAIT_STATUS_READING = 1;
/** The stream waits for its sink to become writable; its source is not read. */
export const WAIT_STATUS_WRITING = 2;

/**
 * Most places of handlers that have timed out which stay in the list; the
 * original's number. With more of them, and more than half of the list, the
 * list is copied without them, so that copying costs O(1) a handler.
 */
export const TIMEOUTS_CLEAN_SIZE = 512;

/**
 * Most bytes of one read, in both directions. Larger reads than 512 KiB made
 * bulk transfers no cheaper (docs/performance.md): the kernel's own work is the
 * same for each byte, and the shared buffers would fall out of the processor's
 * cache.
 */
export const STREAM_BUF_SIZE = 512 * 1024;
/**
 * Most bytes of the first reads, and of every read as long as the sink is the
 * slower one: what a slow sink does not take is held in memory.
 */
export const MIN_READ_SIZE = 64 * 1024;
/**
 * Room in front of a read for bytes that came before and are not whole yet:
 * at most an HTTP head of 64 KiB, or a chunk of the 2022 edition: 65,551 bytes
 * once its length is opened (65,535 of payload and a tag of 16), 65,569 before.
 * One of 2017 has 16,399 and 16,417.
 */
export const CARRY_SIZE = 66 * 1024;

/**
 * Up to so many bytes that wait for an answer a client is read on, so that its
 * end or its reset is seen. As many as one of the first reads brings: some 100
 * requests sent ahead.
 */
export const AHEAD_SIZE: number = MIN_READ_SIZE;

/**
 * Most connections accepted at one event, so that those that are open get their
 * turn. At 50 to 150 µs for each (docs/performance.md) that is 2 to 5 ms; the
 * rest of the queue is accepted in the next turn of the loop.
 */
export const ACCEPT_BATCH = 32;
/**
 * Milliseconds without accepting after the descriptors ran out, unless one is
 * freed before: the listener would be readable in every turn of the loop. Half
 * a second is bearable for who waits, and two turns a second cost nothing.
 */
export const ACCEPT_PAUSE = 500;
/** Seconds between two log lines of a listener about missing descriptors. */
export const LOG_INTERVAL = 1;
/**
 * Seconds between two warnings of a listener that it has more UDP clients than
 * it may have: that can last for days.
 */
export const LIMIT_LOG_INTERVAL = 60;
/**
 * Seconds from accept to a complete, valid header, unless the time-out of idle
 * connections is shorter; also how long a refused connection is drained. One
 * number for both, counted from accept, shows a prober no difference.
 */
export const HANDSHAKE_TIMEOUT = 60;
/** Milliseconds after which a connect that got no answer has failed. */
export const CONNECT_TIMEOUT = 10_000;
/**
 * The same for a member of a group: the next one is tried after 2.5 s, so that
 * a connection is served within 3 s of the death of a server.
 */
export const MEMBER_TIMEOUT = 2500;
/**
 * Milliseconds until the next address of a name is tried beside the one that
 * has not answered yet: the "Connection Attempt Delay" of RFC 8305, section 8.
 */
export const ATTEMPT_DELAY = 250;
/**
 * Milliseconds without an answer after which datagrams go another way: an
 * association to the next member of its group, so that it is served within 3 s
 * of a server's death, and those to a server to its next address.
 */
export const ANSWER_TIMEOUT = 2000;
/**
 * Milliseconds to wait for the first payload, so that salt, header and payload
 * leave in one write; then the header goes alone, for server-first protocols.
 */
export const FIRST_PAYLOAD_WAIT = 250;
/**
 * Most connections in the handshake of TCP fast open (RFC 7413, section 5.1);
 * the original's number. More of them connect without data in the SYN.
 */
export const FAST_OPEN_QUEUE = 5;
