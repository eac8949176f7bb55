/**
 * Command line and file to one checked configuration, and the log.
 *
 * `keys/` has the rows of all keys, `readers/` what single values become,
 * `formats/` JSON, TOML and the places in them, `parts/` what the values make
 * together: locals, servers, groups, and the rules between them.
 *
 * @module
 */

export * from "./log_limiter.ts";
export * from "./logging.ts";
export type { Issue, Notice, NoticeStyle } from "./notice.ts";
export * from "./read_config.ts";
export * from "./roles.ts";
export type * from "./source.ts";
export type * from "./types.ts";
