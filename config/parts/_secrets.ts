/**
 * The passwords and keys of servers and users: whether they are keys where they
 * have to be, and whether they are easy to guess.
 *
 * @module
 */

import { findMethod } from "../../crypto/methods.ts";
import type { Findings } from "../_findings.ts";
import type { Spot } from "../formats/_place.ts";
import { type Notice, warning } from "../notice.ts";
import { isOf2022, pskProblem } from "../readers/_psk.ts";

/** A password that is used. */
export interface Secret {
  /** The password; empty: it is missing or was refused. */
  readonly password: string;
  /** The method that it is for. */
  readonly method: string;
  /** What messages call it. */
  readonly label: string;
  /** Whether it may be a client's chain of keys. */
  readonly isChain: boolean;
  /** Where it stands. */
  readonly at: Spot | undefined;
}

/** Shorter passwords are in reach of guessing at a captured packet. */
const SHORT_PASSWORD = 12;

/** A password of fewer characters is a pattern that guessers try. */
const FEW_CHARACTERS = 5;

/** The password of the original's example. */
const EXAMPLE_PASSWORD = "mypassword";

/** The keys of the examples in README.md. */
const KNOWN_KEYS: ReadonlySet<string> = new Set([
  "XqLOlko9lw3stEPGMHkoBXft7hFwxF0YMcG20U4SXzY=",
  "FZwE2ieEStLCy7AVNJjlHDIBl5wRx2hD7IPqTnpQiQA=",
  "gu3Benon21HcJknFfyK5YRMvTpFkX03lNqcXNae3myI=",
]);

/**
 * Passwords of {@linkcode SHORT_PASSWORD} characters and more that every list
 * of guesses begins with, and those of well-known installers and documents,
 * this program's included; in small letters.
 */
const COMMONEST: ReadonlySet<string> = new Set([
  "1234567890123",
  "12345678910",
  "123456789012",
  "1q2w3e4r5t6y",
  "a long password",
  "a long random secret",
  "administrator",
  "another long password",
  "another long random secret",
  "changemeplease",
  "correcthorsebatterystaple",
  "iloveyou1234",
  "letmeinletmein",
  "mypassword123",
  "password1234",
  "password12345",
  "password123456",
  "passwordpassword",
  "qwerty123456",
  "qwertyqwerty",
  "qwertyuiop12",
  "qwertyuiop123",
  "qwertyuiopasdfghjkl",
  "shadowsocks123",
  "shadowsocks1234",
  "shadowsocks-password",
  "teddysun.com",
  "your-password",
  "your_password",
  "yourpassword",
]);

/**
 * Checks the keys of the 2022 edition.
 *
 * @param secrets The passwords of all methods.
 * @param findings Takes what is wrong.
 */
export function checkKeys(
  secrets: readonly Secret[],
  findings: Findings,
): void {
  // The ports of a server may share one password.
  const said = new Set<string>();
  for (const { password, method, label, isChain, at } of secrets) {
    const row = findMethod(method);
    if (password === "" || row === undefined || !isOf2022(row)) continue;
    const problem = pskProblem(password, row, isChain);
    if (problem === undefined) continue;
    const text = `${label} cannot be used: ${problem}`;
    if (said.has(text)) continue;
    said.add(text);
    findings.refuse(text, at && { ...at, part: "key" });
  }
}

/**
 * Refuses the password of the original's example.
 *
 * @param secrets The passwords.
 * @param findings Takes what is wrong.
 * @returns Whether it was there.
 */
export function refuseExample(
  secrets: readonly Secret[],
  findings: Findings,
): boolean {
  const bad = secrets.find(({ password }) => password === EXAMPLE_PASSWORD);
  if (bad === undefined) return false;
  findings.refuse(
    "DON'T USE DEFAULT PASSWORD! Please change it in your config.json!",
    bad.at,
    { advice: "a random one: shadowsocks genkey" },
  );
  return true;
}

/**
 * Warns, once, of passwords that are easy to guess.
 *
 * @param secrets The passwords.
 * @param findings Takes the warning.
 */
export function warnOfWeak(
  secrets: readonly Secret[],
  findings: Findings,
): void {
  for (const { password, method } of secrets) {
    // A password that is missing or refused is an issue already.
    if (password === "") continue;
    const notice = weakPassword(password, method);
    if (notice === undefined) continue;
    findings.note(notice);
    return;
  }
}

/**
 * What to say about a password that is easy to guess.
 *
 * @param password The password.
 * @param method The method that it is for.
 * @returns A warning; undefined if there is nothing to say.
 */
function weakPassword(
  password: string,
  method: string,
): Notice | undefined {
  if (isOf2022(findMethod(method))) return weakKey(password);
  const characters = [...password];
  const isShort = characters.length < SHORT_PASSWORD;
  const isCommon = COMMONEST.has(password.toLowerCase()) ||
    new Set(characters).size < FEW_CHARACTERS;
  if (!isShort && !isCommon) return undefined;
  const what = isShort
    ? `a password of fewer than ${SHORT_PASSWORD} characters`
    : "a password that is among the commonest, or a plain pattern,";
  const text = `${what} can be guessed from one captured packet; use a ` +
    `${isShort ? "longer" : "random"} one`;
  return noteFor(method, `${text}, as "shadowsocks genkey" makes it`);
}

/**
 * A key is as long as it has to be, and may still be no random one. Beside the
 * characters of a pattern it has the padding of base64, which is one more.
 */
function weakKey(password: string): Notice | undefined {
  const isKnown = password.split(":").some((key) =>
    KNOWN_KEYS.has(key) || new Set(key).size < FEW_CHARACTERS + 1
  );
  return isKnown
    ? warning(
      "a key that everybody knows, or a plain pattern, protects nothing; " +
        'use a random one, as "shadowsocks genkey" makes it',
    )
    : undefined;
}

/**
 * Makes a warning about a password.
 *
 * @param method The method that the password is for.
 * @param text What to say.
 * @returns A line of level WARNING, or of level INFO for a method without
 * authentication: there the password is the smaller worry, and scripts that
 * start such methods count the lines of level WARNING.
 */
export function noteFor(method: string, text: string): Notice {
  return findMethod(method)?.legacy
    ? { level: "info", style: "log", text }
    : warning(text);
}
