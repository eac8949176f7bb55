/**
 * The stages, stream directions, wait states and sizes of a relayed
 * connection, with the seed's names.
 *
 * ```text
 * as sslocal                                as ssserver
 * INIT        greeting, answer it           header of the client's stream
 * ADDR        request                       -
 * UDP_ASSOC   hold the association          -
 * DNS         look up the server            look up the target
 * CONNECTING  connect to the server         connect to the target
 * STREAM      pipe both directions          pipe both directions
 * FAST_OPEN   wait for the first payload    -
 * DRAINING    -                             read and throw away, say nothing
 * DESTROYED   both sockets are closed       both sockets are closed
 * ```
 *
 * @module
 */

/** Waiting for the greeting (local) or the address header (server). */
export const STAGE_INIT = 0;
/** Greeted; waiting for the request. */
export const STAGE_ADDR = 1;
/** A UDP association, which lives as long as this connection. */
export const STAGE_UDP_ASSOC = 2;
/** Looking up the name of the other end. */
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
/** The stream waits for both. */
export const WAIT_STATUS_READWRITING = WAIT_STATUS_READING |
  WAIT_STATUS_WRITING;

/** At most this many timed out handlers stay in the list unreclaimed. */
export const TIMEOUTS_CLEAN_SIZE = 512;

/** Most bytes of one read from the client; each wakes a thread or two. */
export const UP_STREAM_BUF_SIZE = 512 * 1024;
/** Most bytes of one read from the other end. */
export const DOWN_STREAM_BUF_SIZE = 512 * 1024;
/** Most bytes of the first reads, and as long as the sink is the slower. */
export const MIN_READ_SIZE = 64 * 1024;
/** Most bytes put in front of a read: a frame that is not whole yet. */
export const CARRY_SIZE = 32 * 1024;

/** Most connections accepted at one event, so that others get their turn. */
export const ACCEPT_BATCH = 32;
/** Milliseconds without accepting after the descriptors ran out. */
export const ACCEPT_PAUSE = 500;
/** Seconds between two log lines about it. */
export const ACCEPT_LOG_INTERVAL = 1;
/**
 * Seconds from accept to a complete, valid header; also how long a refused
 * connection is drained. One number for both, counted from accept, shows a
 * prober no difference.
 */
export const HANDSHAKE_TIMEOUT = 60;
/** Milliseconds after which a connect that got no answer has failed. */
export const CONNECT_TIMEOUT = 10_000;
/**
 * Milliseconds to wait for the first payload, so that salt, header and payload
 * leave in one write; then the header goes alone, for server-first protocols.
 */
export const FIRST_PAYLOAD_WAIT = 250;
/** Queue of TCP fast open requests. */
export const FAST_OPEN_QUEUE = 5;
