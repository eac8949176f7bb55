/**
 * What reading a configuration needs of the system.
 *
 * @module
 */

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
  /** The permission bits of a file; undefined where there are none. */
  fileMode?(path: string): number | undefined;
  /** The value of an environment variable. */
  env?(name: string): string | undefined;
  /** Whether users and groups are those of Unix; default true. */
  readonly isUnix?: boolean;
}
