/**
 * For tests: groups on a clock that the test moves, with servers that work,
 * answer slowly, or fail as the test says.
 *
 * @module
 */

import { FakeClock } from "../../loop/fakes.ts";
import { SocketAddress } from "../../loop/mod.ts";
import {
  type Failure,
  type NoPackets,
  type Outbound,
  type OutboundStream,
  type Session,
  Sessions,
  Target,
} from "../../relay/mod.ts";
import {
  buildGroups,
  type GroupDescription,
  type Groups,
  type LeafDescription,
} from "./build_groups.ts";
import type { Prober, ProbeResult } from "./prober.ts";
import type { Timing } from "./timing.ts";
import type { OutboundKind } from "./watched_outbound.ts";
import type { Network } from "./member.ts";
import { randomOf } from "../../tests/support/bytes.ts";
import { LogCapture } from "../../tests/support/logs.ts";

/** Timers on a fake clock. */
export class FakeTiming implements Timing {
  readonly #clock = new FakeClock(5_000_000);
  readonly #timers = new Set<{ readonly due: number; call(): void }>();

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.size;
  }

  time(): number {
    return this.#clock.now() / 1000;
  }

  addTimer(milliseconds: number, callback: () => void): { cancel(): void } {
    const timer = { due: this.#clock.now() + milliseconds, call: callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Moves the clock, and calls each timer at its own time. */
  advance(milliseconds: number): void {
    const end = this.#clock.now() + milliseconds;
    for (;;) {
      const [first] = [...this.#timers].sort((a, b) => a.due - b.due);
      if (first === undefined || first.due > end) break;
      this.#timers.delete(first);
      this.#clock.advance(Math.max(0, first.due - this.#clock.now()));
      first.call();
    }
    this.#clock.advance(end - this.#clock.now());
  }
}

/** How a server behaves: its round trip, or how it fails. */
export type Behaviour = number | "dead" | "wrong password" | "at once";

/** Answers as the test says. */
export class FakeProber implements Prober {
  /** The behaviour of each server by name; 10 ms if there is none. */
  readonly servers = new Map<string, Behaviour>();
  /** The names of the servers probed, and when. */
  readonly probes: { readonly name: string; readonly at: number }[] = [];
  /** Probes under way. */
  running = 0;
  /** The most probes that were under way at once. */
  most = 0;
  readonly #timing: Timing;

  constructor(timing: Timing) {
    this.#timing = timing;
  }

  /** How often a server was probed. */
  countOf(name: string): number {
    return this.probes.filter((probe) => probe.name === name).length;
  }

  probe(
    { name }: Outbound,
    _options: unknown,
    done: (result: ProbeResult) => void,
  ): () => void {
    this.probes.push({ name, at: this.#timing.time() * 1000 });
    const behaviour = this.servers.get(name) ?? 10;
    if (behaviour === "at once") {
      done({ ok: false, code: "EMFILE" });
      return () => {};
    }
    this.most = Math.max(this.most, ++this.running);
    const end = (result: ProbeResult): void => {
      this.running--;
      done(result);
    };
    const [delay, result]: [number, ProbeResult] = behaviour === "dead"
      ? [1, { ok: false, code: "ECONNREFUSED", reached: false }]
      : behaviour === "wrong password"
      ? [5000, { ok: false, code: "timeout", reached: true }]
      : [behaviour, { ok: true, milliseconds: behaviour }];
    const timer = this.#timing.addTimer(delay, () => end(result));
    return () => {
      timer.cancel();
      this.running--;
    };
  }
}

/** A way that leads nowhere. */
export class FakeOutbound implements Outbound {
  readonly name: string;
  /** What it has heard. */
  readonly heard: (number | Failure)[] = [];

  constructor(name: string) {
    this.name = name;
  }

  pick(): Outbound {
    return this;
  }

  open(target: Target): OutboundStream {
    return {
      destination: target,
      isDirect: false,
      fastOpen: false,
      handshake: undefined,
      codec: undefined,
      [Symbol.dispose](): void {},
    };
  }

  openPackets(): NoPackets {
    return { refused: "server_failed", reason: "it is a fake" };
  }

  onReached(milliseconds: number): void {
    this.heard.push(milliseconds);
  }

  onUnreached(failure: Failure): void {
    this.heard.push(failure);
  }
}

/** The same numbers in every run, from 0 to below 1. */
export function seededRandom(seed = 1): () => number {
  const next = randomOf(seed);
  return () => next(2 ** 32) / 2 ** 32;
}

/** What a test says about its leaves: by name, with the weights. */
export type Leaves = Readonly<
  Record<string, { tcp?: number; udp?: number; kind?: OutboundKind }>
>;

/** Groups, and all that they run on. */
export class GroupFixture implements Disposable {
  readonly timing: FakeTiming = new FakeTiming();
  readonly prober: FakeProber = new FakeProber(this.timing);
  readonly #logs = new LogCapture("info");
  readonly #sessions = new Sessions();
  #groups: Groups | undefined;

  /** The lines that were logged. */
  get lines(): string[] {
    return this.#logs.texts;
  }

  /** Builds groups. Probes go every 10 s unless a description says else. */
  static async of(
    descriptions: readonly (
      & Omit<GroupDescription, "probeInterval">
      & Partial<GroupDescription>
    )[],
    leaves: Leaves,
    probesAtOnce?: number,
  ): Promise<GroupFixture> {
    const fixture = new GroupFixture();
    const described = Object.entries(leaves).map((
      [name, { tcp, udp, kind }],
    ): [string, LeafDescription] => [name, {
      outbound: new FakeOutbound(name),
      kind,
      tcpWeight: tcp,
      udpWeight: udp,
    }]);
    fixture.#groups = await buildGroups(
      descriptions.map((one) => ({
        probeUrl: "http://probe.example/",
        probeInterval: 10,
        ...one,
      })),
      new Map(described),
      {
        timing: fixture.timing,
        prober: fixture.prober,
        random: seededRandom(),
        probesAtOnce,
      },
    );
    return fixture;
  }

  /** The groups. */
  get groups(): Groups {
    if (this.#groups === undefined) throw new Error("not built");
    return this.#groups;
  }

  /** A session for a target. */
  session(host = "example.com", network: Network = "tcp"): Session {
    const session = this.#sessions.open({
      listener: { protocol: "mixed", port: 1080 },
      network,
      client: SocketAddress.parse("127.0.0.1", 50_000),
    }, this.timing.time() * 1000);
    session.target = Target.of(host, 443);
    return session;
  }

  /** The name of what a group picks. */
  pick(group: string, options: {
    readonly tried?: readonly string[];
    readonly host?: string;
    readonly network?: Network;
  } = {}): string | undefined {
    const { tried = [], host, network } = options;
    return this.groups.groups.get(group)!.pick(
      this.session(host, network),
      tried.map((name) => this.leaf(name)),
    )?.name;
  }

  /** How often each way is picked in `count` sessions. */
  spread(
    group: string,
    count: number,
    options: { readonly network?: Network } = {},
  ): Record<string, number> {
    const counts: Record<string, number> = {};
    for (let i = 0; i < count; i++) {
      const name = this.pick(group, { host: `site${i}.example`, ...options }) ??
        "none";
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  }

  /** A leaf by name. */
  leaf(name: string): Outbound & {
    onReached(milliseconds: number): void;
    onUnreached(failure: Failure): void;
  } {
    return this.groups.watched.get(name)!;
  }

  /** A session could not connect to a server. */
  fail(name: string): void {
    this.leaf(name).onUnreached({
      status: "server_failed",
      code: "ECONNREFUSED",
    });
  }

  /** Ends the probes. */
  [Symbol.dispose](): void {
    this.#groups?.stop();
    this.#logs[Symbol.dispose]();
  }
}
