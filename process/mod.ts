/**
 * How the program lives in its system: files, signals, log, daemon, workers,
 * user, end.
 *
 * @module
 */

export * from "./acl_files.ts";
export * from "./errors.ts";
export * from "./launch.ts";
export * from "./output.ts";
export * from "./relay_loop.ts";
export * from "./run.ts";
export * from "./service.ts";
export * from "./signals.ts";
export * from "./source.ts";
export { isDaemon, programName } from "./_self.ts";
