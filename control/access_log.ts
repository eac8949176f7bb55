/**
 * The access log: one line at the end of each session.
 *
 * ```text
 * text   2026-01-31T12:00:00.000Z mixed:1080 tcp alice 127.0.0.1:4000
 *        example.com:443 tokyo - up=517 down=4096 ms=120 ok
 * json   {"time":…,"id":…,"listener":…,"network":…,"user":…,"client":…,
 *        "target":…,"rule":…,"outbound":…,"up":…,"down":…,"ms":…,"status":…}
 * ```
 *
 * A text line is one line here: time, listener, network, user, client, target,
 * outbound, rule, amounts, status; `-` stands for what is not known or has no
 * value. All lines are ASCII. Amounts are bytes of payload. No line is written for a connection
 * that sent no byte, unless a rule refused it.
 *
 * @module
 */

import type { Observer, Session } from "../relay/mod.ts";

/** How lines are written. */
export type AccessLogFormat = "text" | "json";

/** What an {@linkcode AccessLog} is made with. */
export interface AccessLogOptions {
  /** How lines are written. */
  readonly format: AccessLogFormat;
  /** Takes each line, with its line end. Must not throw. */
  readonly write: (line: string) => void;
  /** Milliseconds of the wall clock. Default: `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/** What a line says, in this order. */
interface AccessEntry {
  readonly time: string;
  readonly id: number;
  readonly listener: string;
  readonly network: string;
  readonly user: string;
  readonly client: string;
  readonly target: string;
  readonly rule: string;
  readonly outbound: string;
  readonly up: number;
  readonly down: number;
  readonly ms: number;
  readonly status: string;
}

/** Writes a line for each session that ends. */
export class AccessLog implements Observer {
  readonly #format: AccessLogFormat;
  readonly #write: (line: string) => void;
  readonly #now: () => number;

  /**
   * Makes an access log.
   *
   * @param options Where and how.
   */
  constructor(options: AccessLogOptions) {
    this.#format = options.format;
    this.#write = options.write;
    this.#now = options.now ?? Date.now;
  }

  /**
   * Writes the line of a session.
   *
   * @param session One that has ended.
   */
  onEnd(session: Session): void {
    if (session.received === 0 && session.status !== "blocked") return;
    const entry = entryOf(session, this.#now());
    const line = this.#format === "json" ? asciiJson(entry) : textOf(entry);
    this.#write(`${line}\n`);
  }
}

function entryOf(session: Session, now: number): AccessEntry {
  const { listener, target } = session;
  return {
    time: new Date(now).toISOString(),
    id: session.id,
    listener: `${listener.protocol}:${listener.port}`,
    network: session.network,
    user: session.user,
    client: `${session.client}`,
    target: target === undefined ? "" : `${target}`,
    rule: session.rule,
    outbound: session.outbound,
    up: session.up,
    down: session.down,
    ms: Math.round(session.ended - session.started),
    status: session.status ?? "error",
  };
}

function textOf(entry: AccessEntry): string {
  const { time, listener, network, user, client, target, outbound } = entry;
  const { rule, up, down, ms, status } = entry;
  return [
    time,
    listener,
    network,
    field(user),
    client,
    field(target),
    field(outbound),
    field(rule),
    `up=${up}`,
    `down=${down}`,
    `ms=${ms}`,
    status,
  ].join(" ");
}

/**
 * Text without blanks and control characters, so that a line is one line; a
 * dash that is somebody's name is not the one that stands for nothing.
 */
function field(text: string): string {
  if (text === "") return "-";
  return /[^\x21-\x7e]|"|^-$/.test(text) ? asciiJson(text) : text;
}

/**
 * JSON in ASCII: some programs take other characters than a line feed for the
 * end of a line, and terminals obey some.
 */
function asciiJson(value: string | AccessEntry): string {
  return JSON.stringify(value).replace(
    /[\x7f-\uffff]/g,
    (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
