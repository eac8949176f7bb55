/**
 * The system as the configuration sees it.
 *
 * @module
 */

import type { AclIssue, ConfigSource, TextFile } from "../config/mod.ts";
import type { AclFiles } from "./acl_files.ts";

/** Files and environment of this process. */
export class DenoSource implements ConfigSource {
  /** Whether users and groups are those of Unix. */
  readonly isUnix = Deno.build.os !== "windows";
  readonly #acls: AclFiles;

  /**
   * Makes a source.
   *
   * @param acls Reads the rules, and keeps them for the start.
   */
  constructor(acls: AclFiles) {
    this.#acls = acls;
  }

  /** Reads a whole file as UTF-8. */
  readTextFile(path: string): string {
    return Deno.readTextFileSync(path);
  }

  /** The permission bits of a file. */
  fileMode(path: string): number | undefined {
    return Deno.statSync(path).mode ?? undefined;
  }

  /** Whether the folder that a file is to be made in exists. */
  hasFolderOf(path: string): boolean {
    const folder = /^(.*)[/\\]/s.exec(path)?.[1] ?? ".";
    try {
      return Deno.statSync(folder === "" ? "/" : folder).isDirectory;
    } catch (error) {
      // Any other refusal is told, with its reason, when the file is opened.
      return !(error instanceof Deno.errors.NotFound);
    }
  }

  /** Whether the system knows a user. */
  async hasUser(name: string): Promise<boolean> {
    const { isUser } = await import("./_user.ts");
    return isUser(name);
  }

  /** The value of an environment variable. */
  env(name: string): string | undefined {
    return Deno.env.get(name);
  }

  /** What is wrong with the rules of a file, or has no effect on a server. */
  async checkAcl(
    file: TextFile,
    isClient: boolean,
  ): Promise<readonly AclIssue[]> {
    const reading = await this.#acls.read(file);
    if (!("acl" in reading)) return reading.problems;
    const { clientNames } = reading.acl;
    return isClient || clientNames === undefined
      ? []
      : [{ ...clientNames, isHarmless: true }];
  }
}
