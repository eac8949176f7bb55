/**
 * For tests: a router and groups that do as the test says, and ways that
 * remember what they were told.
 *
 * @module
 */

import type { SocketAddress } from "../../loop/mod.ts";
import {
  type Decision,
  type Failure,
  type NoPackets,
  type Outbound,
  type OutboundPackets,
  type OutboundStream,
  type Route,
  type Router,
  type Session,
  Target,
} from "../../relay/mod.ts";
import { ShadowsocksOutbound } from "../../outbound/mod.ts";
import type { Edition } from "../../shadowsocks/mod.ts";

/** The addresses of three servers. */
export const SERVER_HOSTS = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];

/** Decides as the test says. */
export class TestRouter implements Router {
  readonly checksClients = true;
  /** The rule that refuses every client; undefined: nobody is refused. */
  refused: string | undefined;
  /** Addresses that must not be connected to. */
  readonly forbidden = new Set<string>();
  /** What it was asked about: the address and the target it belongs to. */
  readonly asked: string[] = [];
  /** Decides about a target. */
  decide: (target: Target) => Decision;
  /** True: decisions wait until `release`. */
  isLate = false;
  /** Questions that wait. */
  readonly waiting = new Set<() => void>();

  /**
   * Makes a router.
   *
   * @param route Where everything goes.
   */
  constructor(route?: Route) {
    this.decide = () => ({ route: route!, rule: "" });
  }

  refusesClient(): string | undefined {
    return this.refused;
  }

  route(
    target: Target,
    _session: Session,
    done: (decision: Decision) => void,
  ): (() => void) | undefined {
    const answer = (): void => done(this.decide(target));
    if (!this.isLate) {
      answer();
      return undefined;
    }
    this.waiting.add(answer);
    return () => void this.waiting.delete(answer);
  }

  /** Answers all questions that wait. */
  release(): void {
    for (const answer of [...this.waiting]) {
      this.waiting.delete(answer);
      answer();
    }
  }

  forbids(
    address: SocketAddress,
    _session: Session,
    target?: Target,
  ): string | undefined {
    this.asked.push(`${address} of ${target}`);
    return this.forbidden.has(address.host) ? "forbidden by test" : undefined;
  }
}

/** A group that picks the first member that was not tried. */
export class TestGroup implements Route {
  readonly name = "group";
  readonly isGroup = true;
  /** What was tried at each pick, by name. */
  readonly picks: string[][] = [];
  readonly #members: readonly Outbound[];

  constructor(members: readonly Outbound[]) {
    this.#members = members;
  }

  pick(_session: Session, tried: readonly Outbound[]): Outbound | undefined {
    this.picks.push(tried.map(({ name }) => name));
    return this.#members.find((member) => !tried.includes(member));
  }
}

/** A way that remembers what it was told. */
export class ToldOutbound implements Outbound {
  readonly name: string;
  isUp = true;
  /** Milliseconds of each connect, or status and code of its failure. */
  readonly told: string[] = [];
  /** How many of its streams were made, and neither they nor their codecs are disposed of. */
  streams = 0;
  /** How many associations were opened and are not disposed of. */
  packets = 0;
  readonly #inner: Outbound;

  constructor(inner: Outbound) {
    this.name = inner.name;
    this.#inner = inner;
  }

  pick(_session: Session, tried: readonly Outbound[]): Outbound | undefined {
    return tried.includes(this) ? undefined : this;
  }

  open(target: Target, session: Session): OutboundStream {
    const stream = this.#inner.open(target, session);
    this.streams++;
    let isOpen = true;
    const counted = (thing: Disposable): void => {
      const dispose = thing[Symbol.dispose].bind(thing);
      thing[Symbol.dispose] = () => {
        if (isOpen) this.streams--;
        isOpen = false;
        dispose();
      };
    };
    counted(stream);
    if (stream.codec !== undefined) counted(stream.codec);
    return stream;
  }

  openPackets(session: Session): OutboundPackets | NoPackets {
    const packets = this.#inner.openPackets(session);
    if ("refused" in packets) return packets;
    this.packets++;
    const dispose = packets[Symbol.dispose].bind(packets);
    packets[Symbol.dispose] = () => {
      this.packets--;
      dispose();
    };
    return packets;
  }

  onReached(milliseconds: number): void {
    this.told.push(`reached ${milliseconds}`);
  }

  onUnreached({ status, code }: Failure): void {
    this.told.push(`${status} ${code}`);
  }
}

/**
 * A shadowsocks server as a way that remembers what it was told.
 *
 * @param edition What it speaks.
 * @param host Its name and address.
 * @param fastOpen Whether first bytes may leave with the SYN.
 */
export function server(
  edition: Edition,
  host: string,
  fastOpen = false,
): ToldOutbound {
  const address = Target.of(host, 8388);
  return new ToldOutbound(
    new ShadowsocksOutbound({ name: host, server: address, edition, fastOpen }),
  );
}
