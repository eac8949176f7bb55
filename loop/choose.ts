/**
 * The choice of a poller.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { EpollPoller } from "./_epoll.ts";
import type { Poller } from "./poller.ts";

const logger = getLogger(["shadowsocks", "loop"]);

/**
 * Makes the best poller of this system, or the one asked for; the modules of
 * Deno's sockets are loaded for those who use them.
 *
 * @param name The one asked for.
 * @returns The poller.
 * @throws {Error} If the one asked for cannot be had here.
 */
export async function makePoller(name?: Poller["name"]): Promise<Poller> {
  if (name === "deno") return await makeDeno();
  if (name === "epoll") return new EpollPoller();
  const { os, arch } = Deno.build;
  if (os !== "linux" || (arch !== "x86_64" && arch !== "aarch64")) {
    return await makeDeno();
  }
  try {
    return new EpollPoller();
  } catch (error) {
    logger.warn("epoll cannot be used, using Deno's sockets: {reason}", {
      reason: reason(error),
    });
    return await makeDeno();
  }
}

async function makeDeno(): Promise<Poller> {
  const { DenoPoller } = await import("./_deno.ts");
  return new DenoPoller();
}

function reason(error: unknown): string {
  const { cause } = error as Error;
  return String((cause as Error | undefined)?.message ?? error).split("\n")[0]!;
}
