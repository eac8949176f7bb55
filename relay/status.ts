/**
 * How a session ends: a closed list, with the words that the access log, the
 * metrics and the control interface use.
 *
 * @module
 */

/** Why a session is over; each has exactly one. */
export type Status =
  /** Both ends closed cleanly, or a UDP association had nothing more to do. */
  | "ok"
  /** The client reset the connection, or left it in the middle of something. */
  | "client_reset"
  /** The target (or the server in front of it) reset the connection. */
  | "target_reset"
  /** The target's name has no address. */
  | "name_failed"
  /** No address of the target could be connected to. */
  | "dial_failed"
  /** No server or proxy in front of the target could be reached, or its answer was wrong. */
  | "server_failed"
  /** A rule forbids the client, the target or its address. */
  | "blocked"
  /** The client has no valid key, password or user. */
  | "auth_failed"
  /** The client's first bytes were seen before. */
  | "replay"
  /** The client's clock is too far from ours. */
  | "skew"
  /** Nothing moved for too long, or no request came in time. */
  | "timeout"
  /** The user's amount is used up. */
  | "quota"
  /** The user's time is over. */
  | "expired"
  /** The user is disabled. */
  | "disabled"
  /** The user or the listener was removed. */
  | "removed"
  /** The user has too many devices. */
  | "devices"
  /** Too many connections: of the user, or for the descriptors of the process. */
  | "connections"
  /** The process ends. */
  | "shutdown"
  /** What the client sent is no request that this port serves. */
  | "error";

/** The statuses of a session whose target was not reached. */
export type FailureStatus = Extract<
  Status,
  "name_failed" | "dial_failed" | "server_failed" | "blocked"
>;

/** Why a target was not reached, for whoever must tell the client. */
export interface Failure {
  /** How the session ends. */
  readonly status: FailureStatus;
  /**
   * The reason in the words of whoever knows it: an errno name such as
   * `ECONNREFUSED`, a code of the resolver such as `not-found`, or `""`.
   */
  readonly code: string;
}

/**
 * A rule forbids the target. Its code is no errno name: the system's own
 * refusal to connect, `EACCES`, is a `dial_failed`.
 */
export const BLOCKED: Failure = { status: "blocked", code: "forbidden" };
