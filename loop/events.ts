/**
 * Event masks and the handler contract of the loop. The values are those of
 * poll(2) and epoll(7), so the epoll poller passes them through.
 *
 * @module
 */

import type { Socket } from "./socket.ts";

/** No event. */
export const POLL_NULL = 0x00;
/** There is something to read, to accept, or the peer has sent its end. */
export const POLL_IN = 0x01;
/** Sending can go on, or a connect has ended. */
export const POLL_OUT = 0x04;
/** The socket has failed; `socket.takeError()` says how. Always reported. */
export const POLL_ERR = 0x08;
/** Both directions are closed. Always reported. */
export const POLL_HUP = 0x10;
/** Events that no mask can refuse. */
export const POLL_ALWAYS: number = POLL_ERR | POLL_HUP;
/** Seconds between two periodic callbacks; also the precision of timeouts. */
export const TIMEOUT_PRECISION = 10;

/** What the loop calls when a socket is ready. */
export interface EventHandler {
  /**
   * Handles one readiness event.
   *
   * @param socket The socket that is ready; it is still watched.
   * @param fd Its descriptor, the key of `fd_to_handlers`.
   * @param event A mask of `POLL_*`.
   */
  handleEvent(socket: Socket, fd: number, event: number): void;
}
