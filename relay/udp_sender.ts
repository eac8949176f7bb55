/**
 * Sends the datagrams of associations: finds their path, and seals them for
 * it.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { DnsAnswer, Resolver } from "../dns/mod.ts";
import { SocketAddress } from "../loop/mod.ts";
import type { RelayBuffers } from "./buffers.ts";
import { ANSWER_TIMEOUT } from "./constants.ts";
import type { NoPackets, Route } from "./outbound.ts";
import { Packet, PACKET_ROOM, sealedBytes } from "./packet.ts";
import type { Router } from "./router.ts";
import type { Target } from "./target.ts";
import type { PacketPath, UDPAssociation } from "./udp_association.ts";
import { UDPServer } from "./udp_server.ts";
import { WaitingDatagrams } from "./udp_waiting.ts";

/**
 * Milliseconds after which it is tried again which address of a target's name
 * takes datagrams: until then they leave many at a time, which hides a failure.
 */
const REACHED_INTERVAL = 1000;

const logger = getLogger(["shadowsocks", "relay"]);

/** What a {@linkcode UDPSender} works with. */
export interface UDPSenderOptions {
  /** Decides where sessions go. */
  readonly router: Router;
  /** Looks names up. */
  readonly resolver: Resolver;
  /** The buffers that the relays of the loop share. */
  readonly buffers: RelayBuffers;
  /** Milliseconds of the loop's clock. */
  readonly now: () => number;
}

/** Sends the datagrams of a relay's associations. */
export class UDPSender {
  readonly #options: UDPSenderOptions;
  readonly #waiting = new WaitingDatagrams();
  /** The servers that datagrams were sent to, by their destination. */
  readonly #servers = new WeakMap<Target, UDPServer>();
  /** Whether the log has said that an outbound has no UDP. */
  #hasWarned = false;

  /**
   * Makes a sender.
   *
   * @param options What it works with.
   */
  constructor(options: UDPSenderOptions) {
    this.#options = options;
  }

  /**
   * Sends a datagram by the path of the one before, or decides about its
   * target.
   *
   * @param packet The datagram; its buffer is used again after the call.
   * @param association Whose it is.
   * @param target Where to.
   */
  send(packet: Packet, association: UDPAssociation, target: Target): void {
    const path = association.lastPath;
    if (path === undefined || !isSame(target, association.lastTarget)) {
      this.#route(packet, association, target);
    } else this.#take(packet, association, path);
  }

  /** Takes a path, or another one if it has not answered in time. */
  #take(packet: Packet, association: UDPAssociation, path: PacketPath): void {
    association.lastPath = path;
    if (this.#isInTime(path)) {
      this.#sendBy(packet, association, path);
    } else {
      association.abandon(path);
      this.#pick(packet, association, path.route);
    }
  }

  /** False if the path belongs to a group that should pick another outbound. */
  #isInTime({ route, outbound, unansweredSince }: PacketPath): boolean {
    if (route.isGroup !== true) return true;
    if (outbound.isUp === false) return false;
    return unansweredSince === 0 ||
      this.#options.now() - unansweredSince < ANSWER_TIMEOUT;
  }

  #route(packet: Packet, association: UDPAssociation, target: Target): void {
    let kept: Packet | undefined = undefined;
    let isDone = false;
    let stopWaiting: (() => void) | undefined = undefined;
    const { router } = this.#options;
    const takeBack = router.route(target, association.session, (decision) => {
      isDone = true;
      stopWaiting?.();
      if (association.closed) return;
      if ("blocked" in decision) {
        association.failure ??= "blocked";
        association.session.rule = decision.blocked;
        return;
      }
      association.lastTarget = target;
      const { route, rule } = decision;
      association.session.rule = rule;
      const path = association.pathFor(route);
      if (path === undefined) this.#pick(kept ?? packet, association, route);
      else {
        association.session.outbound = path.outbound.name;
        this.#take(kept ?? packet, association, path);
      }
    });
    if (isDone) return;
    kept = copyOf(packet);
    stopWaiting = this.#waiting.add(association, () => takeBack?.());
  }

  /**
   * Takes the first outbound that the route picks and that has UDP; those that
   * did not answer in time come last.
   */
  #pick(packet: Packet, association: UDPAssociation, route: Route): void {
    const { session } = association;
    let tried = association.abandonedOf(route);
    let refusal: NoPackets | undefined = undefined;
    let isRestored = tried.length === 0;
    for (;;) {
      const outbound = route.pick(session, tried);
      if (outbound === undefined) {
        if (isRestored) break;
        // No member answers in time, so none is worse than another: the route
        // picks as it would for a new association.
        isRestored = true;
        association.restore(route);
        tried = [];
        continue;
      }
      session.outbound = outbound.name;
      const path = association.take(outbound, route);
      if (!("refused" in path)) {
        association.lastPath = path;
        path.unansweredSince = 0;
        this.#sendBy(packet, association, path);
        return;
      }
      refusal = path;
      // As a connection, a datagram that is to reach nobody has no next outbound.
      if (path.refused === "blocked") break;
      tried = [...tried, outbound];
    }
    association.lastPath = undefined;
    association.failure ??= refusal?.refused ?? "server_failed";
    this.#logLost(packet, association, refusal);
  }

  /** Says why no outbound takes a datagram; a warning once a relay. */
  #logLost(
    { target }: Packet,
    { session, client }: UDPAssociation,
    refusal: NoPackets | undefined,
  ): void {
    const isWarning = refusal?.refused === "server_failed" && !this.#hasWarned;
    this.#hasWarned ||= isWarning;
    logger[isWarning ? "warn" : "debug"](
      "cannot send UDP to {target} by {outbound} from {client}: {reason}",
      () => ({
        target: `${target}`,
        outbound: session.outbound,
        client: `${client}`,
        reason: refusal?.reason ?? "no outbound is left",
      }),
    );
  }

  #sendBy(packet: Packet, association: UDPAssociation, path: PacketPath): void {
    const { destination } = path.packets;
    if (destination === undefined) {
      this.#sendDirectly(packet, association);
      return;
    }
    const out = this.#options.buffers.besides(packet.bytes);
    const data = sealedBytes(packet, out, path.packets.seal(packet, out));
    if (data === undefined) return;
    const now = this.#options.now();
    if (path.unansweredSince === 0) path.unansweredSince = now;
    const server = path.server ??= this.#serverOf(destination);
    if (server.address !== undefined) {
      server.renew(this.#options.resolver, now);
      association.failure = undefined;
      server.send(data, association, now);
      return;
    }
    this.#resolve(destination.domain, association, data, (kept, answer) => {
      const time = this.#options.now();
      server.learn(answer, time);
      association.failure = undefined;
      server.send(kept, association, time);
    });
  }

  #serverOf(destination: Target): UDPServer {
    let server = this.#servers.get(destination);
    if (server === undefined) {
      server = new UDPServer(destination);
      this.#servers.set(destination, server);
    }
    return server;
  }

  /** To the target itself, whose addresses the router may forbid. */
  #sendDirectly(packet: Packet, association: UDPAssociation): void {
    const target = packet.target!;
    if (target.port === 0) return;
    logger.debug("udp data to {target} from {client}", () => ({
      target: `${target}`,
      client: `${association.client}`,
    }));
    const data = packet.bytes.subarray(packet.start, packet.end);
    const address = target.address ?? this.#reachedBy(association, target);
    if (address === undefined) {
      const { domain } = target;
      this.#resolve(
        domain,
        association,
        data,
        (kept, answer) => this.#sendToName(kept, association, target, answer),
      );
      return;
    }
    if (!this.#isAllowed(address, association, target)) return;
    association.failure = undefined;
    association.sendTo(data, address);
  }

  /** The address of a name that has just taken a datagram. */
  #reachedBy(
    { reached }: UDPAssociation,
    target: Target,
  ): SocketAddress | undefined {
    if (reached === undefined || !isSame(target, reached.target)) {
      return undefined;
    }
    const isFresh = this.#options.now() - reached.since < REACHED_INTERVAL;
    return isFresh ? reached.address : undefined;
  }

  #isAllowed(
    address: SocketAddress,
    association: UDPAssociation,
    target: Target,
  ): boolean {
    const { router } = this.#options;
    const rule = router.forbids(address, association.session, target);
    if (rule === undefined) return true;
    association.failure ??= "blocked";
    return false;
  }

  /**
   * Sends a datagram to the first address of a name that can be sent to (RFC
   * 8305 for datagrams: only a failure leads to the next).
   */
  #sendToName(
    data: Uint8Array,
    association: UDPAssociation,
    target: Target,
    { addresses, isPartial }: DnsAnswer,
  ): void {
    const places = target.placesAt(addresses);
    const [only] = places;
    if (only !== undefined && places.length === 1 && isPartial !== true) {
      if (!this.#isAllowed(only, association, target)) return;
      if (association.sendTo(data, only)) association.failure = undefined;
      return;
    }
    const { reached } = association;
    if (reached !== undefined && isSame(target, reached.target)) {
      const at = places.findIndex(({ key }) => key === reached.address.key);
      // What has taken datagrams is tried before the others.
      if (at > 0) places.unshift(...places.splice(at, 1));
    }
    this.#sendToAny(data, association, { target, places, isPartial });
  }

  /** Sends a datagram to the first of a name's addresses that takes it. */
  #sendToAny(
    data: Uint8Array,
    association: UDPAssociation,
    { target, places, isPartial }: {
      readonly target: Target;
      readonly places: readonly SocketAddress[];
      readonly isPartial: boolean | undefined;
    },
  ): void {
    for (const [i, address] of places.entries()) {
      if (!this.#isAllowed(address, association, target)) continue;
      const onFailed = (copy: Uint8Array): void => {
        association.reached = undefined;
        const rest = { target, places: places.slice(i + 1), isPartial };
        this.#sendToAny(copy, association, rest);
      };
      if (!association.sendAlone(data, address, onFailed)) continue;
      association.failure = undefined;
      association.reached = { target, address, since: this.#options.now() };
      return;
    }
    if (isPartial !== true) return;
    // The other family may have one that takes it.
    this.#resolve(target.domain, association, data, (kept, answer) => {
      const rest = target.placesAt(answer.addresses).filter(({ key }) =>
        !places.some((place) => place.key === key)
      );
      const whole = { target, places: rest, isPartial: false };
      this.#sendToAny(kept, association, whole);
    }, true);
  }

  /**
   * Looks a name up for a datagram. A failed look-up is logged, and the
   * datagram is lost. `done` gets it, or a copy if the answer comes later.
   */
  #resolve(
    domain: string,
    association: UDPAssociation,
    data: Uint8Array,
    done: (data: Uint8Array, answer: DnsAnswer) => void,
    isWhole = false,
  ): void {
    const { resolver } = this.#options;
    let isDone = false;
    let kept = data;
    let stopWaiting: (() => void) | undefined = undefined;
    const onAnswer = (answer: DnsAnswer): void => {
      isDone = true;
      stopWaiting?.();
      if (association.closed) return;
      const { error } = answer;
      if (error === undefined) return done(kept, answer);
      association.failure ??= "name_failed";
      logger.error("{reason} when handling UDP from {client}", {
        reason: error.message,
        client: `${association.client}`,
      });
    };
    const options = { asker: association.session, isWhole };
    resolver.resolve(domain, onAnswer, options);
    if (isDone) return;
    // The buffer will hold something else.
    kept = data.slice();
    stopWaiting = this.#waiting.add(
      association,
      () => resolver.removeCallback(onAnswer),
    );
  }
}

function isSame(a: Target, b: Target | undefined): boolean {
  if (b === undefined || a.port !== b.port) return false;
  return a.address === undefined
    ? a.domain === b.domain
    : a.address === b.address || a.address.key === b.address?.key;
}

/** A datagram that lives on, for when its buffer holds another. */
function copyOf({ bytes, start, end, head, target }: Packet): Packet {
  const from = head >= 0 ? head : start;
  const copy = new Packet();
  copy.bytes = new Uint8Array(PACKET_ROOM + end - from);
  copy.bytes.set(bytes.subarray(from, end), PACKET_ROOM);
  copy.start = PACKET_ROOM + start - from;
  copy.end = PACKET_ROOM + end - from;
  copy.head = head >= 0 ? PACKET_ROOM : -1;
  copy.target = target;
  return copy;
}
