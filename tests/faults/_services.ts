/**
 * A server and a local in this process, on real sockets of one loop.
 *
 * @module
 */

import type { Role } from "../../config/mod.ts";
import { findMethod, openProviders } from "../../crypto/mod.ts";
import { EventLoop, type Poller } from "../../loop/mod.ts";
import type { Libc } from "../../loop/_libc.ts";
import { Service } from "../../process/mod.ts";
import { LogCapture } from "../support/logs.ts";
import { CipherSuite } from "../../shadowsocks/mod.ts";
import { FakeResolver } from "../../dns/fakes.ts";
import { type ConfigKeys, makeConfig } from "../support/mod.ts";
import { Descriptors } from "../_descriptors.ts";
import { pollers } from "../_loop_fixture.ts";

/** The method of the tests: salt 16, tag 16. */
export const METHOD = "aes-128-gcm";
/** The password of both sides. */
export const PASSWORD = "what both sides know";

/** One set for all tests of a file: a library stays loaded in any case. */
const providers = await openProviders();
const provider = await providers.forMethod(findMethod(METHOD)!);
// Other methods of the tests may load another one beside it.
await providers.forMethod(findMethod("aes-256-gcm")!);

/** What a test may choose. */
export interface ServicesOptions {
  /** Default: the best of this system. */
  readonly poller?: Poller["name"];
  /** Puts something between the `epoll` poller and libc. */
  readonly wrap?: (libc: Libc) => Libc;
  /** Keys for both. */
  readonly both?: ConfigKeys;
  /** Keys for the server. */
  readonly server?: ConfigKeys;
  /** Keys for the local. */
  readonly local?: ConfigKeys;
}

/** A server, a local that uses it, and the loop of both. */
export class Services implements AsyncDisposable {
  /** The server's resolver. */
  readonly resolver = new FakeResolver();
  /** What both log. */
  readonly logs = new LogCapture();
  /** The cipher of both, for a peer that speaks it. */
  readonly suite = new CipherSuite(findMethod(METHOD)!, PASSWORD, provider);
  /** Where the server listens. */
  serverPort = 0;
  /** Where the local listens. */
  localPort = 0;
  readonly #descriptors: Descriptors;
  readonly #loop: EventLoop;
  readonly #services: Service[] = [];
  #running: Promise<void> | undefined;

  constructor(descriptors: Descriptors, poller: Poller) {
    this.#descriptors = descriptors;
    this.#loop = new EventLoop(poller, { cooperative: true });
  }

  /** Starts both. */
  static async start(options: ServicesOptions = {}): Promise<Services> {
    const descriptors = new Descriptors();
    const poller = await descriptors.makePoller(options.poller, options.wrap);
    const services = new Services(descriptors, poller);
    try {
      services.serverPort = await services.#add("ssserver", {
        ...options.both,
        ...options.server,
      });
      services.localPort = await services.#add("sslocal", {
        serverPort: [services.serverPort],
        ...options.both,
        ...options.local,
      });
    } catch (error) {
      await services[Symbol.asyncDispose]();
      throw error;
    }
    services.#running = services.#loop.run();
    return services;
  }

  /** How many sockets the loop watches. */
  get watched(): number {
    return this.#loop.size;
  }

  /** Closes the listeners; settles when the last connection has ended. */
  async close(): Promise<void> {
    await Promise.all(
      this.#services.map((service) =>
        new Promise<void>((resolve) => service.close(resolve))
      ),
    );
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const service of this.#services) service.destroy();
    this.#loop.stop();
    await this.#running;
    this.suite[Symbol.dispose]();
    this.logs[Symbol.dispose]();
    this.#descriptors.endLoop(this.#loop);
  }

  async #add(role: Role, keys: ConfigKeys): Promise<number> {
    const config = makeConfig(role, {
      password: PASSWORD,
      method: METHOD,
      ...keys,
    });
    const service = new Service(config, {
      loop: this.#loop,
      resolver: this.resolver,
      providers,
    });
    this.#services.push(service);
    await service.start();
    return service.listening[0]!.port;
  }
}

/**
 * Defines one test for each poller.
 *
 * @param name The name of the test.
 * @param body The test; its services are ended for it.
 * @param options What differs from the defaults.
 */
export function servicesTest(
  name: string,
  body: (services: Services, poller: Poller["name"]) => Promise<void>,
  options: ServicesOptions = {},
): void {
  for (const poller of pollers()) {
    Deno.test(`${name} (${poller})`, async () => {
      await using services = await Services.start({ ...options, poller });
      await body(services, poller);
    });
  }
}
