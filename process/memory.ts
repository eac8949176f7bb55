/**
 * Gives memory back to the system once there is nothing to do.
 *
 * V8 keeps the room that its youngest objects needed in the busiest moment,
 * some 30 MB after ten thousand connections, and libc what was freed; neither
 * lets go of it by itself. On a machine of 512 MB that is what others miss.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { findCollector } from "./_collector.ts";

/** What it takes to give memory back; each may be missing here. */
export interface MemorySystem {
  /** Bytes of the process that are in memory. */
  resident(): number;
  /** Collects garbage, and shrinks the heap. */
  readonly collect: (() => void) | undefined;
  /** Has libc return what was freed. */
  readonly trim: (() => void) | undefined;
}

/** Growth in bytes that is worth a collection, which takes 10 to 60 ms. */
const WORTHWHILE = 8 * 1024 * 1024;

const logger = getLogger(["shadowsocks"]);

/** Watches the memory of the process. */
export class MemoryKeeper {
  #system: MemorySystem | undefined;
  /** What was in memory when it was last given back. */
  #least = 0;

  /**
   * Makes a keeper that knows nothing yet: the first call measures.
   *
   * @param system By default that of the process, looked up when first needed.
   */
  constructor(system?: MemorySystem) {
    this.#system = system;
  }

  /** Gives memory back if that is worth while; for a quiet moment. */
  onQuiet(): void {
    const system = this.#system ??= openMemorySystem();
    const before = system.resident();
    if (before < this.#least + WORTHWHILE) return;
    system.collect?.();
    system.trim?.();
    this.#least = system.resident();
    logger.debug("memory: {before} MB, {after} MB when tidied", {
      before: Math.round(before / 1e6),
      after: Math.round(this.#least / 1e6),
    });
  }
}

/**
 * The memory of this process.
 *
 * @returns What this system, runtime and permissions offer.
 */
export function openMemorySystem(): MemorySystem {
  return {
    resident: () => Deno.memoryUsage().rss,
    collect: findCollector(),
    trim: findTrim(),
  };
}

/** glibc's `int malloc_trim(size_t pad)`; other libcs have no such thing. */
function findTrim(): (() => void) | undefined {
  if (Deno.build.os !== "linux") return undefined;
  const { state } = Deno.permissions.querySync({ name: "ffi" });
  if (state !== "granted") return undefined;
  try {
    const { symbols } = Deno.dlopen("libc.so.6", {
      malloc_trim: { parameters: ["u32"], result: "i32" },
    });
    return () => void symbols.malloc_trim(0);
  } catch {
    return undefined;
  }
}
