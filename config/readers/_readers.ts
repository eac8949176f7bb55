/**
 * Readers of plain values: each takes what a file or the command line gave and
 * returns the checked value, or reports what it expected.
 *
 * @module
 */

import { findMethod, methodNames } from "../../crypto/methods.ts";
import { describeLength, shownBare } from "../_shown.ts";
import { nearest } from "./_nearest.ts";
import type { Reader, Report } from "../keys/_shape.ts";
import type { DaemonAction } from "../types.ts";

/** What a port is, for messages. */
export const PORT = "a port from 1 to 65535";

/** What a port to listen on is: 0 lets the system choose. */
export const LISTEN_PORT = "a port from 0 to 65535";

/** RFC 1929 counts the bytes of a name or password in one byte. */
export const MAX_CREDENTIAL = 255;

/**
 * Reads true or false.
 *
 * @param value The value as given.
 * @param report Where to report.
 * @returns The checked value; undefined after a report.
 */
export function readBoolean(
  value: unknown,
  report: Report,
): boolean | undefined {
  return typeof value === "boolean" ? value : report.expected("true or false");
}

/**
 * Reads a port, as a number or in digits.
 *
 * @param value The value as given.
 * @param report Where to report.
 * @returns The checked value; undefined after a report.
 */
export function readPort(
  value: unknown,
  report: Report,
): number | undefined {
  return portOf(value) ?? report.expected(PORT);
}

/**
 * Reads a port to listen on; 0 lets the system choose.
 *
 * @param value As given.
 * @param report Where to report.
 * @returns The checked value; undefined after a report.
 */
export function readListenPort(
  value: unknown,
  report: Report,
): number | undefined {
  return listenPortOf(value) ?? report.expected(LISTEN_PORT);
}

/**
 * Reads a text that is not empty.
 *
 * @param value The value as given.
 * @param report Where to report.
 * @returns The checked value; undefined after a report.
 */
export function readText(
  value: unknown,
  report: Report,
): string | undefined {
  return textOf(value) ?? report.expected("a text that is not empty");
}

/**
 * Reads the name of a file, a user or the like.
 *
 * @param value The value as given.
 * @param report Where to report.
 * @returns The checked value; undefined after a report.
 */
export function readName(
  value: unknown,
  report: Report,
): string | undefined {
  const text = textOf(value);
  // deno-lint-ignore no-control-regex
  return text !== undefined && !/[\x00-\x1f\x7f]/.test(text)
    ? text
    : report.expected("a name without control characters");
}

/** Timers count milliseconds in 31 bits. */
const MAX_SECONDS = 2 ** 31 / 1000;

/**
 * Reads seconds, whole or not.
 *
 * @param value The value as given.
 * @param report Where to report.
 * @returns The checked value; undefined after a report.
 */
export function readSeconds(
  value: unknown,
  report: Report,
): number | undefined {
  const seconds = numberOf(value);
  return seconds !== undefined && seconds > 0 && seconds < MAX_SECONDS
    ? seconds
    : report.expected("seconds, more than 0 and at most 2147483");
}

/**
 * Reads how long something may be idle: idleness is looked for once a second.
 *
 * @param value The value as given.
 * @param report Where to report.
 * @returns The checked value; undefined after a report.
 */
export function readTimeout(
  value: unknown,
  report: Report,
): number | undefined {
  const seconds = numberOf(value);
  return seconds !== undefined && seconds >= 1 && seconds < MAX_SECONDS
    ? seconds
    : report.expected("seconds, at least 1 and at most 2147483");
}

/**
 * Reads how much to log: true is 1, false is 0.
 *
 * @param value The value as given.
 * @param report Where to report.
 * @returns The checked value; undefined after a report.
 */
export function readVerbose(
  value: unknown,
  report: Report,
): number | undefined {
  if (typeof value === "boolean") return value ? 1 : 0;
  const level = numberOf(value);
  return Number.isInteger(level)
    ? level
    : report.expected("true, false or a whole number");
}

/**
 * Makes a reader of whole numbers.
 *
 * @param min The least.
 * @param max The greatest.
 * @returns The reader.
 */
export function readInteger(min: number, max: number): Reader<number> {
  return (value, report) => {
    const number = numberOf(value);
    return Number.isInteger(number) && number! >= min && number! <= max
      ? number
      : report.expected(`a whole number from ${min} to ${max}`);
  };
}

/**
 * Reads how much a server is preferred.
 *
 * @param value The value as given.
 * @param report Where to report.
 * @returns The checked value; undefined after a report.
 */
export function readWeight(
  value: unknown,
  report: Report,
): number | undefined {
  return typeof value === "number" && value >= 0 && value <= 1
    ? value
    : report.expected("a number from 0 to 1");
}

/**
 * Makes a reader of a word out of several.
 *
 * @param words The words.
 * @returns The reader.
 */
export function readWord<T extends string>(
  ...words: readonly T[]
): Reader<T> {
  return (value, report) =>
    words.find((word) => word === value) ??
      report.expected(`one of ${words.join(", ")}`);
}

/**
 * Reads a daemon command; its refusal has the words that scripts know.
 *
 * @param value The value as given.
 * @param report Where to report.
 * @returns The checked value; undefined after a report.
 */
export function readDaemon(
  value: unknown,
  report: Report,
): DaemonAction | undefined {
  if (value === "start" || value === "stop" || value === "restart") {
    return value;
  }
  if (typeof value !== "string") {
    return report.expected("one of start, stop, restart");
  }
  return report.refused(
    `unsupported daemon command ${
      shownBare(value)
    }: expected start, stop or restart`,
  );
}

/**
 * Reads the name of an encryption method, in any case.
 *
 * @param value The value as given.
 * @param report Where to report.
 * @returns The checked value; undefined after a report.
 */
export function readMethod(
  value: unknown,
  report: Report,
): string | undefined {
  if (typeof value !== "string") {
    return report.expected("the name of an encryption method");
  }
  const method = findMethod(value);
  if (method !== undefined) return method.name;
  return report.refused(unknownMethod(value));
}

/** The parts that names of methods are made of, here and in other programs. */
const METHOD_PART =
  "aead|aegis|aes|arcfour|aria|auth|bf|blake[23]?|blowfish|camellia|cast5|" +
  "ccm|cfb|chacha|chacha(?:8|12|20)|ctr|des|dummy|gcm|hmac|idea|ietf|mbedtls|" +
  "md5|none|ocb|ofb|openssl|plain|poly1305|rabbit|rc[245]|salsa|salsa20|seed|" +
  "sha1|sha256|siv|sm4|sodium|table|xchacha|xchacha(?:8|12|20)|\\d{1,4}";

/** What has the look of a method, and words too short for a password. */
const METHOD_LIKE = new RegExp(
  `^(?:[a-z]{0,4}|(?:${METHOD_PART})(?:[-_:](?:${METHOD_PART}))*)$`,
  "i",
);

/**
 * Says that there is no such method. What does not look like the name of one
 * may be a password in the wrong place, and is not repeated.
 *
 * @param name The name as given.
 * @returns One line, with what may be meant.
 */
export function unknownMethod(name: string): string {
  const names = methodNames();
  const guess = nearest(name.toLowerCase(), names);
  const isOpen = guess !== undefined || METHOD_LIKE.test(name);
  const what = isOpen ? name : describeLength(name);
  if (guess !== undefined) {
    return `method ${what} not supported; did you mean ${guess}?`;
  }
  const hint = /^2022-/i.test(name)
    ? `; those of 2022 are ${
      names.filter((each) => each.startsWith("2022-")).join(", ")
    }`
    : '; "--help" lists the methods';
  return `method ${what} not supported${hint}`;
}

/**
 * Takes a text that is not empty.
 *
 * @param value The value as given.
 * @returns The checked value; undefined if it has another form.
 */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.isWellFormed()
    ? value
    : undefined;
}

/**
 * Takes a number, or a whole number in digits.
 *
 * @param value The value as given.
 * @returns The checked value; undefined if it has another form.
 */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && /^-?\d{1,15}$/.test(value)
    ? Number(value)
    : undefined;
}

/**
 * A port to listen on, as a number or in digits.
 *
 * @param value As given.
 * @returns The port, 0 included; undefined if it is none.
 */
export function listenPortOf(value: unknown): number | undefined {
  return numberOf(value) === 0 ? 0 : portOf(value);
}

/**
 * Takes a port, as a number or in digits.
 *
 * @param value The value as given.
 * @returns The checked value; undefined if it has another form.
 */
export function portOf(value: unknown): number | undefined {
  const port = numberOf(value);
  return Number.isInteger(port) && port! >= 1 && port! <= 65535
    ? port
    : undefined;
}

/**
 * Tells whether a name or password is too long for SOCKS5.
 *
 * @param text The name or password.
 */
export function isLongCredential(text: string): boolean {
  return new TextEncoder().encode(text).length > MAX_CREDENTIAL;
}
