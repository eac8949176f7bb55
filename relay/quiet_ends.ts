/**
 * How the end of a stranger is answered: not when its bytes have been looked
 * at, which takes as long as there are keys to try, but at a moment that only
 * the clock and the arrival of its bytes decide.
 *
 * ```text
 * bytes, looked at …   its end      next twentieth of a second
 * └─ at least 50 ms ────────────────┘ answered
 * ```
 *
 * @module
 */

import type { EventLoop } from "../loop/mod.ts";
import { WAIT_STATUS_INIT } from "./constants.ts";
import type { InboundStream } from "./inbound.ts";

/**
 * Milliseconds from the last bytes to the answer, and between two answers. More
 * than a thousand keys take to be tried, and less than anybody waits for.
 */
const QUIET = 50;

/** A connection whose client has sent its end. */
export interface QuietConnection {
  /** When bytes came last, in seconds of the loop's clock. */
  readonly lastActivity: number;
  /** Its session; without a target the client is a stranger. */
  readonly session: { readonly target: unknown };
  /** Answers the end, unless the connection is over. */
  onPipeEnd(): void;
}

/** Both directions of a connection, of which the one up is read. */
export interface QuietPipe<S> {
  /** From the client. */
  readonly up: S;
  /** Says what a direction waits for. */
  updateStream(stream: S, status: number): void;
}

/** The strangers of a listener that have sent their end. */
export class QuietEnds {
  readonly #context: { readonly loop: EventLoop };
  #waiting: QuietConnection[] = [];

  /**
   * Makes a list of nobody.
   *
   * @param context Has the loop, once it is asked for.
   */
  constructor(context: { readonly loop: EventLoop }) {
    this.#context = context;
  }

  /**
   * Takes a connection whose end is not to be answered yet: it is not read any
   * more, and `onPipeEnd` is called again.
   *
   * @param connection The connection.
   * @param inbound The client's side.
   * @param pipe Its directions.
   * @returns False if the end is to be answered now.
   */
  takes<S>(
    connection: QuietConnection,
    { hidesWork }: InboundStream,
    pipe: QuietPipe<S>,
  ): boolean {
    if (hidesWork !== true || connection.session.target !== undefined) {
      return false;
    }
    const { loop } = this.#context;
    const now = 1000 * loop.time();
    if (now >= 1000 * connection.lastActivity + QUIET) return false;
    pipe.updateStream(pipe.up, WAIT_STATUS_INIT);
    this.#waiting.push(connection);
    if (this.#waiting.length === 1) {
      loop.addTimer(QUIET - now % QUIET, () => this.#answer());
    }
    return true;
  }

  /** Those whose time has not come are taken again. */
  #answer(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const connection of waiting) connection.onPipeEnd();
  }
}
