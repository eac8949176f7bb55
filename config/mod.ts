/**
 * Command line and file to one checked configuration, and the log.
 *
 * @module
 */

export * from "./log_limiter.ts";
export * from "./logging.ts";
export type { Issue, Notice, NoticeStyle } from "./notice.ts";
export * from "./read_config.ts";
export type * from "./source.ts";
export type * from "./types.ts";
