/**
 * What the log says about connections.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { namesOf, type Session } from "./session.ts";
import type { Status } from "./status.ts";

const logger = getLogger(["shadowsocks", "relay"]);

/**
 * Logs what is asked for.
 *
 * @param session The session, which has its target.
 * @param stranger Why the client is passed on; undefined: it is served.
 */
export function logRequest(session: Session, stranger?: Status): void {
  if (stranger === undefined) {
    logger.info("connecting {name} from {client}", namesOf(session));
  } else logger.debug("passing {client} on to {name}", namesOf(session));
}

/**
 * Logs that a connection was idle, or showed no request in time.
 *
 * @param session The session.
 * @param isRefused Whether the client was refused before.
 */
export function logTimeOut(session: Session, isRefused: boolean): void {
  const names = namesOf(session);
  if (isRefused || session.target === undefined) {
    logger.debug("timed out: connection from {client}", names);
  } else logger.warn("timed out: {name} from {client}", names);
}

/**
 * Logs that a socket has failed.
 *
 * @param session The session.
 * @param isClient Whose socket it is.
 * @param code An errno name, or words; `""`: not known.
 */
export function logPipeFailed(
  session: Session,
  isClient: boolean,
  code: string,
): void {
  logger.debug("{side} of {client} failed: {code}", () => ({
    side: isClient ? "client" : "other end",
    client: `${session.client}`,
    code,
  }));
}
