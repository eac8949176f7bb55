/**
 * How executables set V8 up: for little memory, and for code that is fast a
 * second after the start.
 *
 * @module
 */

/**
 * A small young generation: what a connection leaves behind is collected while
 * it is in the cache. Saves 30 MB with 10,000 connections and costs no speed.
 */
const SMALL_YOUNG_GENERATION = "--max-semi-space-size=4";

/**
 * Functions are optimised after 400 calls instead of 3,000. Only optimised
 * code calls native functions at full speed, and here everything does: after
 * two seconds of new connections one costs 240 µs instead of 330, which else
 * takes some ten seconds more. The price is half a second of another core.
 */
const OPTIMIZE_EARLY = "--invocation-count-for-turbofan=400";

/**
 * What is inlined into a function is limited to 400 bytes of its code instead
 * of 920: compiling takes less, which saves a fifth of the first two seconds of
 * new connections, and what comes out is as fast.
 */
const INLINE_LESS = "--max-inlined-bytecode-size-cumulative=400";

/** Shows the collector to the program, which collects when it is idle. */
const EXPOSE_COLLECTOR = "--expose-gc";

/**
 * The flags, with commas between, as `--v8-flags` takes them; `DENO_V8_FLAGS`
 * gives them to a program that runs from source.
 */
export const V8_FLAGS: string = [
  SMALL_YOUNG_GENERATION,
  OPTIMIZE_EARLY,
  INLINE_LESS,
  EXPOSE_COLLECTOR,
].join(",");
