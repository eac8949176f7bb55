/**
 * The stages, stream directions, wait states and sizes of a relayed
 * connection, with the seed's names.
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
/** At most this many timed out handlers stay in the list unreclaimed. */
export const TIMEOUTS_CLEAN_SIZE = 512;

/**
 * Most bytes of one read. Larger reads than 512 KiB made bulk transfers no
 * cheaper (docs/performance.md): the kernel's own work is the same for each
 * byte, and the shared buffers would fall out of the processor's cache.
 */
export const UP_STREAM_BUF_SIZE = 512 * 1024;
/** Most bytes of one read from the other end, for the same reason. */
export const DOWN_STREAM_BUF_SIZE = 512 * 1024;
/**
 * Most bytes of the first reads, and of every read as long as the sink is the
 * slower one: what a slow sink does not take is held in memory.
 */
export const MIN_READ_SIZE = 64 * 1024;
/**
 * Room in front of a read for bytes that came before and are not whole yet:
 * at most an HTTP head of 64 KiB; an AEAD chunk has 16,401 bytes.
 */
export const CARRY_SIZE = 66 * 1024;

/** Most connections accepted at one event, so that others get their turn. */
export const ACCEPT_BATCH = 32;
/** Milliseconds without accepting after the descriptors ran out. */
export const ACCEPT_PAUSE = 500;
/** Seconds between two log lines of a listener about missing descriptors. */
export const LOG_INTERVAL = 1;
/**
 * Seconds from accept to a complete, valid header; also how long a refused
 * connection is drained. One number for both, counted from accept, shows a
 * prober no difference.
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
 * Milliseconds to wait for the first payload, so that salt, header and payload
 * leave in one write; then the header goes alone, for server-first protocols.
 */
export const FIRST_PAYLOAD_WAIT = 250;
/** Queue of TCP fast open requests. */
export const FAST_OPEN_QUEUE = 5;
