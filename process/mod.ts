/**
 * How the program lives in its system: files, signals, log, end.
 *
 * @module
 */

export * from "./output.ts";
export * from "./run.ts";
export * from "./signals.ts";
export * from "./source.ts";
