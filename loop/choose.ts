/**
 * The choice of a poller.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { DescriptorBudget } from "./descriptors.ts";
import { EpollPoller } from "./_epoll.ts";
import { openLibc } from "./_libc.ts";
import type { Poller } from "./poller.ts";

const logger = getLogger(["shadowsocks", "loop"]);

/**
 * Makes the best poller of this system, or the one asked for; the modules of
 * Deno's sockets are loaded for those who use them.
 *
 * @param name The one asked for.
 * @param budget The descriptors that its sockets may have.
 * @returns The poller; it has the descriptors that it needs for itself.
 * @throws {Error} If the one asked for cannot be had here.
 */
export async function makePoller(
  name?: Poller["name"],
  budget: DescriptorBudget = new DescriptorBudget(),
): Promise<Poller> {
  const poller = await choose(name, budget);
  // The first turn opens the connection that all turns need: later there might
  // be no descriptors for it.
  await poller.turn();
  return poller;
}

async function choose(
  name: Poller["name"] | undefined,
  budget: DescriptorBudget,
): Promise<Poller> {
  if (name === "deno") return await makeDeno(budget);
  if (name === "epoll") return new EpollPoller(openLibc(), budget);
  const { os, arch } = Deno.build;
  if (os !== "linux" || (arch !== "x86_64" && arch !== "aarch64")) {
    return await makeDeno(budget);
  }
  try {
    return new EpollPoller(openLibc(), budget);
  } catch (error) {
    logger.warn("epoll cannot be used, using Deno's sockets: {reason}", {
      reason: reason(error),
    });
    return await makeDeno(budget);
  }
}

async function makeDeno(budget: DescriptorBudget): Promise<Poller> {
  const { DenoPoller } = await import("./_deno.ts");
  return new DenoPoller(budget);
}

function reason(error: unknown): string {
  const { cause } = error as Error;
  return String((cause as Error | undefined)?.message ?? error).split("\n")[0]!;
}
