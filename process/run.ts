/**
 * A role as a process: its loop, its signals, its end.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Config } from "../config/mod.ts";
import { CipherError, openProviders, type ProviderSet } from "../crypto/mod.ts";
import { makeResolver } from "../dns/mod.ts";
import { EventLoop, makePoller, SocketError } from "../loop/mod.ts";
import { Service } from "../relay/mod.ts";
import { onSignals } from "./signals.ts";

const logger = getLogger(["shadowsocks"]);

/** Exit code when the role could not be started. */
const EXIT_FAILURE = 1;

/**
 * Runs a role until a signal ends it.
 *
 * @param config What to do.
 * @returns The exit code.
 */
export async function run(config: Config): Promise<number> {
  using stack = new DisposableStack();
  try {
    const providers = stack.use(openProviders(config));
    const poller = stack.use(makePoller(config.eventLoop));
    const loop = new EventLoop(poller);
    const resolver = stack.use(
      makeResolver(loop, {
        servers: config.dnsServer,
        preferIpv6: config.preferIpv6,
      }),
    );
    const service = new Service(config, { loop, resolver, providers });
    stack.defer(() => service.destroy());
    stack.use(onSignals({
      terminate: () => {
        service.destroy();
        loop.stop();
      },
    }));
    const running = loop.run();
    await Promise.race([service.start(), running]);
    logProviders(providers);
    await running;
    return 0;
  } catch (error) {
    if (!(error instanceof SocketError || error instanceof CipherError)) {
      throw error;
    }
    logger.error("{reason}", { reason: error.message });
    return EXIT_FAILURE;
  }
}

function logProviders(providers: ProviderSet): void {
  const reason = providers.fallbackReason;
  if (reason === undefined) return;
  logger.warn("no native library, using portable crypto, slower: {reason}", {
    reason,
  });
}
