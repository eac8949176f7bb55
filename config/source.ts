/**
 * What reading a configuration needs of the system.
 *
 * @module
 */

import type { TextFile } from "./types.ts";

/** What is wrong with a line of an ACL file. */
export interface AclIssue {
  /** The line, from 1. */
  readonly line: number;
  /** The column, from 1. */
  readonly column: number;
  /** What is wrong. */
  readonly message: string;
  /** True: it changes nothing, and is a warning only. Absent: false. */
  readonly isHarmless?: boolean;
}

/** The system as the configuration sees it; the caller gives it. */
export interface ConfigSource {
  /**
   * Reads a whole file as UTF-8. A path that is not absolute means the working
   * directory, also when it stands in a configuration file, as in
   * shadowsocks-libev and shadowsocks-rust.
   *
   * @throws {Error} If it cannot; one named `NotFound` if there is no file.
   */
  readTextFile(path: string): string;
  /**
   * Reads the rules of an ACL file. Absent: nobody looks at them here.
   *
   * @param file The file; whoever starts with the configuration gets the same
   * object.
   * @param isClient Whether the rules are those of a client.
   * @returns What is wrong, in the order of the lines; empty: nothing.
   */
  checkAcl?(
    file: TextFile,
    isClient: boolean,
  ): Promise<readonly AclIssue[]>;
  /** Whether the folder that a file is to be made in exists. */
  hasFolderOf?(path: string): boolean;
  /** Whether the system knows a user. */
  hasUser?(name: string): Promise<boolean>;
  /** The permission bits of a file; undefined where there are none. */
  fileMode?(path: string): number | undefined;
  /** The value of an environment variable. */
  env?(name: string): string | undefined;
  /** Whether users and groups are those of Unix; default true. */
  readonly isUnix?: boolean;
}
