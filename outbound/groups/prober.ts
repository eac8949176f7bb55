/**
 * The contract of those who find out whether a server works by sending
 * something through it.
 *
 * @module
 */

import type { Outbound } from "../../relay/mod.ts";

/**
 * Milliseconds after which a probe without an answer has failed: 5 s, the
 * `max_server_rtt` of shadowsocks-rust.
 */
export const PROBE_TIMEOUT = 5000;

/** What a probe asks for. */
export interface ProbeOptions {
  /** An `http:` URL. */
  readonly url: string;
  /** Milliseconds it may take. Default: {@linkcode PROBE_TIMEOUT}. */
  readonly timeout?: number | undefined;
}

/** How a probe ended. */
export type ProbeResult =
  | {
    /** There was an answer. */
    readonly ok: true;
    /** From the start to the answer's first line. */
    readonly milliseconds: number;
  }
  | {
    /** There was none, or a wrong one. */
    readonly ok: false;
    /** An errno name, a code of the resolver, `timeout`, `status 500` … */
    readonly code: string;
    /**
     * Whether the server could be connected to; undefined: that is not known.
     */
    readonly reached?: boolean | undefined;
  };

/** Sends probes. */
export interface Prober {
  /**
   * Sends one probe. Never throws.
   *
   * @param outbound What to send it through.
   * @param options What to ask for.
   * @param done Called once, perhaps before `probe` returns.
   * @returns Gives up: `done` is not called any more. Harmless when it was.
   */
  probe(
    outbound: Outbound,
    options: ProbeOptions,
    done: (result: ProbeResult) => void,
  ): () => void;
}
