/**
 * Values that a configuration file does not hold itself: `${NAME}` is a
 * variable of the environment, `password_file` a file with a password in its
 * first line.
 *
 * Only what is in the file is treated so: options and the commands of a manager
 * are taken as they are, since whoever gives those need not be allowed to ask
 * for variables and files.
 *
 * @module
 */

import { readFailure } from "./_context.ts";
import type { Findings } from "./_findings.ts";
import type { Path, Spot } from "./formats/_place.ts";
import type { ConfigSource } from "./source.ts";

/** `$${`, which stands for `${`; a variable; or what looks like one. */
const REFERENCE = /\$\$\{|\$\{([A-Za-z_]\w*)\}|\$\{/g;

/** Whether text is made of variables alone. */
const ONLY_VARIABLES = /^(?:\$\{[A-Za-z_]\w*\})+$/;

/** A URL without a user and a password before its host. */
const OPEN_URL = /^[a-z0-9]+:\/\/[^@]*$/i;

/** Characters: far more than a password has, so the file is another one. */
const MAX_FILE_LENGTH = 1 << 16;

/** Bits of a file's mode: others may read it. */
const OTHERS_READ = 0o004;

/** Gives the values that stand elsewhere. */
export class FileValues {
  readonly #source: ConfigSource;
  readonly #findings: Findings;
  readonly #isNeeded: boolean;
  /** The variables that were asked for and are not there. */
  readonly #unset = new Set<string>();
  #holdsSecret = false;

  /**
   * Makes the values of a file.
   *
   * @param source The system.
   * @param findings Takes what is wrong.
   * @param isNeeded False: the values are not used, and nothing is missed, as
   * by whoever stops a daemon.
   */
  constructor(source: ConfigSource, findings: Findings, isNeeded = true) {
    this.#source = source;
    this.#findings = findings;
    this.#isNeeded = isNeeded;
  }

  /** Whether the file itself has a secret in it. */
  get holdsSecret(): boolean {
    return this.#holdsSecret;
  }

  /**
   * Looks at a secret as it is written.
   *
   * @param value A text, or lists and tables of such.
   */
  noteSecret(value: unknown): void {
    if (typeof value === "object" && value !== null) {
      for (const each of Object.values(value)) this.noteSecret(each);
    } else if (typeof value === "string" && value !== "") {
      this.#holdsSecret ||= !ONLY_VARIABLES.test(value) &&
        !OPEN_URL.test(value);
    }
  }

  /**
   * Puts variables in place of their names. One that is not set, or empty, is
   * an issue, once: the text itself would be a password that anybody can guess.
   *
   * @param value A text, or lists and tables of such; others stay.
   * @param path Where it stands.
   * @returns The value; undefined after an issue.
   */
  expand(value: unknown, path: Path): unknown {
    if (typeof value === "string") return this.#expandText(value, path);
    if (typeof value !== "object" || value === null || value instanceof Date) {
      return value;
    }
    let isWhole = true;
    const inner = (key: string | number, each: unknown): unknown => {
      const expanded = this.expand(each, [...path, key]);
      isWhole &&= expanded !== undefined;
      return expanded;
    };
    const made = Array.isArray(value)
      ? value.map((each, i) => inner(i, each))
      : Object.fromEntries(
        Object.entries(value).map(([key, each]) => [key, inner(key, each)]),
      );
    return isWhole ? made : undefined;
  }

  /**
   * Reads the first line of a file.
   *
   * @param path The path; no message shows it unless there is such a file: it
   * may be the password itself.
   * @param at Where it stands.
   * @returns The line without its end; undefined after an issue.
   */
  readSecret(path: string, at: Spot): string | undefined {
    if (!this.#isNeeded) return undefined;
    let reason: string;
    try {
      const text = this.#source.readTextFile(path);
      if (text.length > MAX_FILE_LENGTH) {
        reason = "it is larger than 64 KiB, which no password is";
      } else {
        const [line] = /^[^\r\n]*/.exec(text.replace(/^\ufeff/, ""))!;
        if (line !== "" && !line.includes("\ufffd")) {
          warnOfMode(path, this.#source, this.#findings);
          return line;
        }
        reason = line === ""
          ? "its first line is empty"
          : "its first line is not UTF-8";
      }
    } catch (error) {
      reason = readFailure(error);
    }
    this.#findings.refuse(`Cannot read password file: ${reason}`, at);
    return undefined;
  }

  #expandText(text: string, path: Path): string | undefined {
    let isWhole = true;
    const expanded = text.replace(REFERENCE, (found, name?: string) => {
      if (found === "$${") return "${";
      const value = name === undefined ? undefined : this.#source.env?.(name);
      if (value !== undefined && value !== "") return value;
      isWhole = false;
      this.#refuse(name, value, { path, part: "value" });
      return "";
    });
    return isWhole ? expanded : undefined;
  }

  #refuse(
    name: string | undefined,
    value: string | undefined,
    at: Spot,
  ): void {
    if (!this.#isNeeded) return;
    if (name === undefined) {
      this.#findings.refuse(
        "expected ${NAME}, a variable of the environment: write $${ for the " +
          "two characters themselves",
        at,
      );
      return;
    }
    if (this.#unset.has(name)) return;
    this.#unset.add(name);
    const what = value === undefined ? "not set" : "empty";
    this.#findings.refuse(`\${${name}} is ${what} in the environment`, at);
  }
}

/**
 * Warns of a file with a password that everybody can read.
 *
 * @param path The file.
 * @param source The system.
 * @param findings Takes the warning.
 */
export function warnOfMode(
  path: string,
  source: ConfigSource,
  findings: Findings,
): void {
  const mode = source.fileMode?.(path) ?? 0;
  if ((mode & OTHERS_READ) === 0) return;
  findings.warn(
    `${path} holds a password and everybody on this machine can read it; ` +
      `use: chmod 600 ${path}`,
  );
}
