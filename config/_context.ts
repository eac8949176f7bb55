/**
 * What the rules need to know and to have besides the values: the role, the
 * system, and where to report.
 *
 * @module
 */

import { shownBare } from "./_shown.ts";
import type { Findings } from "./_findings.ts";
import type { TopKeys } from "./keys/_keys.ts";
import type { Spot } from "./formats/_place.ts";
import type { Section } from "./keys/_shape.ts";
import type { ConfigSource } from "./source.ts";
import type { Role, TextFile } from "./types.ts";

/** The values of the outermost table. */
export type Top = Section<TopKeys>;

/** Far more than rules or users have, and less than what would stall. */
const MAX_FILE_LENGTH = 1 << 24;

const REASONS: Readonly<Record<string, string>> = {
  NotFound: "no such file",
  PermissionDenied: "permission denied",
  NotCapable: "permission denied; run with --allow-read",
  IsADirectory: "it is a directory",
};

/**
 * Says why a file could not be read, without the words of the system.
 *
 * @param error What was thrown.
 * @returns The reason.
 */
export function readFailure(error: unknown): string {
  const name = error instanceof Error ? error.name : "";
  return REASONS[name] ?? "the system cannot read it";
}

/** What messages call the files that are made at the start, by key. */
const FILE_KINDS = {
  access_log: "access log",
  "log-file": "log",
  "pid-file": "pid",
} as const;

/** What the rules have at hand. */
export class Context {
  /** What the program is started as. */
  readonly role: Role;
  /** Whether it has locals and not listeners of a server. */
  readonly isClient: boolean;
  /** Takes what is wrong. */
  readonly findings: Findings;
  /** The path of the configuration; undefined if there is no file. */
  readonly file: string | undefined;
  readonly #source: ConfigSource;
  /** The ACL files that could be read, by path: each is read once. */
  readonly #acls = new Map<string, TextFile>();

  /**
   * Makes a context.
   *
   * @param role What the program is started as.
   * @param source The system.
   * @param findings Takes what is wrong.
   * @param file The path of the configuration, if there is a file.
   */
  constructor(
    role: Role,
    source: ConfigSource,
    findings: Findings,
    file: string | undefined,
  ) {
    this.file = file;
    this.role = role;
    this.isClient = role === "sslocal" || role === "sstunnel";
    this.findings = findings;
    this.#source = source;
  }

  /** Whether users and groups are those of Unix. */
  get isUnix(): boolean {
    return this.#source.isUnix ?? true;
  }

  /**
   * Reads a file that the configuration names.
   *
   * @param path The path.
   * @param what What messages call it.
   * @param at Where the path stands.
   * @returns The file; undefined after an issue.
   */
  readFile(
    path: string,
    what: string,
    at: Spot | undefined,
  ): TextFile | undefined {
    let reason: string;
    try {
      const text = this.#source.readTextFile(path);
      if (text.length <= MAX_FILE_LENGTH) return { path, text };
      reason = "it is larger than 16 MiB";
    } catch (error) {
      reason = readFailure(error);
    }
    this.findings.refuse(
      `Cannot read ${what} ${shownBare(path)}: ${reason}`,
      at,
    );
    return undefined;
  }

  /**
   * Reads an ACL file that the configuration names;
   * {@linkcode Context.checkAcls} looks at its rules.
   *
   * @param path The path.
   * @param at Where the path stands.
   * @returns The file, for one path always the same object; undefined after an
   * issue.
   */
  readAcl(path: string, at: Spot | undefined): TextFile | undefined {
    const known = this.#acls.get(path);
    if (known !== undefined) return known;
    const file = this.readFile(path, "acl", at);
    if (file !== undefined) this.#acls.set(path, file);
    return file;
  }

  /** Reports the rules of all ACL files that cannot be read, or do nothing. */
  async checkAcls(): Promise<void> {
    for (const file of this.#acls.values()) {
      const wrong = await this.#source.checkAcl?.(file, this.isClient) ?? [];
      for (const { line, column, message, isHarmless } of wrong) {
        const text = `${file.path}:${line}:${column}: ${message}`;
        if (isHarmless === true) this.findings.warn(text);
        else this.findings.refuse(text);
      }
    }
  }

  /**
   * Reports a file whose folder does not exist.
   *
   * @param path The file, which is made when the process starts.
   * @param key The key that names it.
   * @param at Where the path stands.
   */
  checkFolder(
    path: string | undefined,
    key: keyof typeof FILE_KINDS,
    at?: Spot,
  ): void {
    if (path === undefined || path === "-") return;
    if (this.#source.hasFolderOf?.(path) !== false) return;
    this.findings.refuse(
      `Cannot open ${FILE_KINDS[key]} file ${shownBare(path)}: its folder ` +
        `does not exist (key "${key}")`,
      at,
    );
  }

  /**
   * Reports a user that the system does not know.
   *
   * @param name The user.
   * @param at Where the name stands.
   */
  async checkUser(name: string | undefined, at?: Spot): Promise<void> {
    if (name === undefined || !this.isUnix) return;
    if (await this.#source.hasUser?.(name) !== false) return;
    this.findings.refuse(`user not found: ${shownBare(name)}`, at);
  }
}
