/**
 * The log: LogTape with lines of this form, which scripts and fail2ban read.
 *
 * ```text
 * 2026-01-31 23:59:59 INFO     connecting example.com:443 from 127.0.0.1:5000
 * ```
 *
 * The time is local; the level is padded to 8. Every control character of a
 * message is escaped, so that one record is one line whatever a peer sends.
 *
 * @module
 */

import { configureSync, type LogLevel, type LogRecord } from "@logtape/logtape";
import { MONOTONIC_CLOCK } from "../loop/mod.ts";
import { LogLimiter } from "./log_limiter.ts";
import type { Notice } from "./notice.ts";

/** The category of every logger of the program. */
export const LOG_CATEGORY: readonly ["shadowsocks"] = ["shadowsocks"];

/** Where the lines go. */
export interface LogOutput {
  /** Takes whole lines, and never waits for whoever reads them. */
  write(text: string): void;
}

/** The name of each level in a line. */
const LEVEL_NAMES: Readonly<Record<LogLevel, string>> = {
  trace: "VERBOSE",
  debug: "DEBUG",
  info: "INFO",
  warning: "WARNING",
  error: "ERROR",
  fatal: "CRITICAL",
};

const LEVEL_WIDTH = 8;

/**
 * Sends everything that is logged to an output. Replaces an earlier set-up.
 * Of one kind of warning or error a few lines a second are written, then a
 * count: an attacker must not fill the disk.
 *
 * A property `error` of a record that holds an `Error` adds its stack, if
 * the log is verbose.
 *
 * @param output Takes the lines.
 * @param options How much to log, as the key `verbose`.
 * @returns To be flushed now and then, so that the last count is written.
 */
export function setUpLog(
  output: LogOutput,
  options: { readonly verbose: number },
): LogLimiter {
  const showStacks = options.verbose > 0;
  const limiter = new LogLimiter(
    (line) => output.write(formatLine(Date.now(), "warning", line)),
    { clock: MONOTONIC_CLOCK },
  );
  configureSync({
    reset: true,
    sinks: {
      output: (record) => {
        const { level, rawMessage } = record;
        const mayFlood = level === "warning" || level === "error";
        if (
          mayFlood &&
          !limiter.allow(String(rawMessage), () => addressOf(record))
        ) return;
        output.write(formatRecord(record, { showStacks }));
      },
    },
    loggers: [
      {
        category: [...LOG_CATEGORY],
        lowestLevel: lowestLevel(options.verbose),
        sinks: ["output"],
      },
      { category: ["logtape", "meta"], lowestLevel: null, sinks: [] },
    ],
  });
  return limiter;
}

/** The least level that is logged, by the key `verbose`. */
function lowestLevel(verbose: number): LogLevel {
  if (verbose >= 2) return "trace";
  if (verbose === 1) return "debug";
  if (verbose === -1) return "warning";
  return verbose <= -2 ? "error" : "info";
}

/** The IP address that a record is about: of a client, without its port. */
function addressOf({ properties }: LogRecord): string | undefined {
  const { ip, client } = properties;
  if (typeof ip === "string") return ip;
  if (typeof client !== "string") return undefined;
  const port = client.lastIndexOf(":");
  return port < 0 ? client : client.slice(0, port);
}

/** The lines of a record, each ended. */
function formatRecord(
  record: LogRecord,
  options: { readonly showStacks: boolean },
): string {
  let text = "";
  for (const part of record.message) {
    text += part instanceof Error ? part.message : String(part);
  }
  const line = formatLine(record.timestamp, record.level, text);
  const { error } = record.properties;
  if (!options.showStacks || !(error instanceof Error)) return line;
  const frames = (error.stack ?? "").split("\n")
    .filter((frame) => /^\s+at /.test(frame))
    .map((frame) => `  ${escapeControls(frame.trim())}\n`);
  return line + frames.join("");
}

/**
 * Makes the text of a notice in its style.
 *
 * @param notice The notice.
 * @param timestamp Milliseconds since the epoch.
 * @returns The line, ended.
 */
export function formatNotice(notice: Notice, timestamp: number): string {
  const { level, style, text } = notice;
  switch (style) {
    case "plain":
      return `${escapeControls(text)}\n`;
    case "early":
      return `${LEVEL_NAMES[level]}: ${escapeControls(text)}\n`;
    case "log":
      return formatLine(timestamp, level, text);
    default:
      return style satisfies never;
  }
}

/**
 * Makes a text safe for one line of a terminal or a file.
 *
 * @param text Any text.
 * @returns The text, with control characters, line separators and halves of
 * surrogate pairs as escapes such as `\n` and `\u{1b}`.
 */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, (char) => {
    if (char === "\n") return "\\n";
    if (char === "\r") return "\\r";
    if (char === "\t") return "\\t";
    return `\\u{${char.codePointAt(0)!.toString(16)}}`;
  });
}

/** Controls (Cc), bidirectional marks and other formats, separators, halves. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

function formatLine(timestamp: number, level: LogLevel, text: string): string {
  const name = LEVEL_NAMES[level].padEnd(LEVEL_WIDTH);
  return `${formatTime(timestamp)} ${name} ${escapeControls(text)}\n`;
}

function formatTime(timestamp: number): string {
  const time = new Date(timestamp);
  const two = (part: number): string => String(part).padStart(2, "0");
  const date = [
    time.getFullYear(),
    two(time.getMonth() + 1),
    two(time.getDate()),
  ];
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()];
  return `${date.join("-")} ${clock.map(two).join(":")}`;
}
