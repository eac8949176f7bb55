/**
 * For the tests of this folder: a resolver on the fake network.
 *
 * @module
 */

import { formatIp } from "../loop/mod.ts";
import { type FakePeers, FakeServers } from "./_fake_servers.ts";
import { DNSResolver, type DNSResolverOptions } from "./resolver.ts";
import type { DnsAnswer, DnsCallback } from "./types.ts";

/** An answer, and the virtual milliseconds it took. */
export interface TimedAnswer {
  readonly answer: DnsAnswer;
  readonly after: number;
}

/** A resolver, and the network around it. */
export class Harness extends FakeServers implements Disposable {
  readonly resolver: DNSResolver;

  constructor(peers: FakePeers, options: DNSResolverOptions = {}) {
    super(peers);
    this.resolver = new DNSResolver(this.loop, {
      readFile: () => undefined,
      ...options,
    });
  }

  /** Resolves names at the same time, and runs until all are answered. */
  async resolve(...hostnames: readonly string[]): Promise<TimedAnswer[]> {
    const start = this.clock.now();
    const answers: (TimedAnswer | undefined)[] = hostnames.map(() => undefined);
    let missing = hostnames.length;
    const done = (i: number): DnsCallback => (answer) => {
      answers[i] = { answer, after: this.clock.now() - start };
      if (--missing === 0) this.loop.stop();
    };
    hostnames.forEach((name, i) => this.resolver.resolve(name, done(i)));
    if (missing > 0) await this.loop.run();
    return answers.map((answer) => answer!);
  }

  /** Resolves one name; gives its addresses, or the error's code, as text. */
  async text(hostname: string): Promise<string> {
    const [timed] = await this.resolve(hostname);
    return textOf(timed!.answer);
  }

  /** Closes the resolver and checks that no socket is left. */
  [Symbol.dispose](): void {
    this.resolver.close();
    const { watched, open } = this.poller;
    if (watched > 0) throw new Error("A socket is still watched");
    if (open.length > 0) throw new Error("A socket is still open");
  }
}

/** Addresses, or the error's code. */
export function textOf(answer: DnsAnswer): string {
  return answer.error?.code ?? answer.addresses.map(formatIp).join(" ");
}
