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

/** What the memory is used for. */
export interface MemoryLoad {
  /**
   * How many sockets there are: what was in memory with many of them is no
   * measure for few.
   */
  readonly sockets: number;
  /** Lets go of what is kept for later. */
  release(): void;
}

/** Growth in bytes that is worth a collection, which takes 10 to 60 ms. */
const WORTHWHILE = 8 * 1024 * 1024;
/**
 * The same in sockets that are gone, if they were half of all: at the 128 KiB
 * that a stalled tunnel holds at most, 32 tunnels have held half of that.
 */
const MANY = 64;

const logger = getLogger(["shadowsocks"]);

/** Watches the memory of the process. */
export class MemoryKeeper {
  #system: MemorySystem | undefined;
  readonly #load: MemoryLoad;
  /** What was in memory when it was last given back. */
  #least = 0;
  /** The most sockets that were seen since. */
  #most = 0;

  /**
   * Makes a keeper that knows nothing yet: the first call measures.
   *
   * @param load What there is to do.
   * @param system By default that of the process, looked up when first needed.
   */
  constructor(load: MemoryLoad, system?: MemorySystem) {
    this.#load = load;
    this.#system = system;
  }

  /** Gives memory back if that is worth while; for a quiet moment. */
  onQuiet(): void {
    const system = this.#system ??= openMemorySystem();
    const { sockets } = this.#load;
    const before = system.resident();
    const hasGrown = before >= this.#least + WORTHWHILE;
    const haveGone = this.#most - sockets >= MANY && sockets <= this.#most / 2;
    this.#most = Math.max(this.#most, sockets);
    if (!hasGrown && !haveGone) return;
    this.#load.release();
    system.collect?.();
    system.trim?.();
    this.#least = system.resident();
    this.#most = sockets;
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
