/**
 * The way of datagrams from an association to their targets.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Resolver } from "../dns/mod.ts";
import { SocketAddress } from "../loop/mod.ts";
import type { RelayBuffers } from "./buffers.ts";
import type { NoPackets, Route } from "./outbound.ts";
import { Packet, PACKET_ROOM, sealedBytes } from "./packet.ts";
import type { Router } from "./router.ts";
import type { Target } from "./target.ts";
import type { UDPAssociation, Way } from "./udp_association.ts";

/** Most datagrams that wait for a name at once; more are lost. */
const MAX_LOOKUPS = 256;
/**
 * Milliseconds without an answer after which an association tries the next
 * member of its group, so that it is served within 3 s of a server's death.
 */
const ANSWER_TIMEOUT = 2000;

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
  #lookups = 0;
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
   * Sends a datagram the way of the one before, or decides about its target.
   *
   * @param packet The datagram; its buffer is used again after the call.
   * @param association Whose it is.
   * @param target Where to.
   */
  send(packet: Packet, association: UDPAssociation, target: Target): void {
    const way = association.lastWay;
    if (way === undefined || !isSame(target, association.lastTarget)) {
      this.#route(packet, association, target);
    } else this.#take(packet, association, way);
  }

  /** Takes a way, or leaves it if it has not answered in time. */
  #take(packet: Packet, association: UDPAssociation, way: Way): void {
    association.lastWay = way;
    if (this.#isInTime(way)) {
      this.#sendBy(packet, association, way);
    } else {
      association.leave(way);
      this.#pick(packet, association, way.route);
    }
  }

  /** True unless the way belongs to a group and should be left for another. */
  #isInTime({ route, outbound, unansweredSince }: Way): boolean {
    if (route.isGroup !== true) return true;
    if (outbound.isUp === false) return false;
    const now = this.#options.now();
    return unansweredSince === 0 || now - unansweredSince < ANSWER_TIMEOUT;
  }

  #route(packet: Packet, association: UDPAssociation, target: Target): void {
    let kept: Packet | undefined = undefined;
    let isDone = false;
    const { router } = this.#options;
    const takeBack = router.route(target, association.session, (decision) => {
      isDone = true;
      if (kept !== undefined) this.#lookups--;
      if (association.closed) return;
      if ("blocked" in decision) {
        association.failure ??= "blocked";
        association.session.rule = decision.blocked;
        return;
      }
      association.lastTarget = target;
      const { route, rule } = decision;
      association.session.rule = rule;
      const way = association.wayFor(route);
      if (way === undefined) this.#pick(kept ?? packet, association, route);
      else {
        association.session.outbound = way.outbound.name;
        this.#take(kept ?? packet, association, way);
      }
    });
    if (isDone) return;
    if (this.#lookups >= MAX_LOOKUPS) {
      takeBack?.();
      return;
    }
    this.#lookups++;
    kept = copyOf(packet);
  }

  /**
   * Takes the first outbound that the route picks and that has UDP, those that
   * were left in silence last.
   */
  #pick(packet: Packet, association: UDPAssociation, route: Route): void {
    const { session } = association;
    let tried = association.leftOf(route);
    let refusal: NoPackets | undefined = undefined;
    let isForgiven = tried.length === 0;
    for (;;) {
      const outbound = route.pick(session, tried);
      if (outbound === undefined) {
        if (isForgiven) break;
        // Every member was silent, so the first one is tried again.
        isForgiven = true;
        association.forgive(route);
        tried = [];
        continue;
      }
      session.outbound = outbound.name;
      const way = association.take(outbound, route);
      if (!("refused" in way)) {
        association.lastWay = way;
        way.unansweredSince = 0;
        this.#sendBy(packet, association, way);
        return;
      }
      refusal = way;
      tried = [...tried, outbound];
    }
    association.lastWay = undefined;
    association.failure ??= refusal?.refused ?? "server_failed";
    this.#logLost(packet, association, refusal);
  }

  /** Says why no outbound takes a datagram; a warning once a relay. */
  #logLost(
    { target }: Packet,
    { session, client }: UDPAssociation,
    refusal: NoPackets | undefined,
  ): void {
    const reason = refusal?.reason ?? "no outbound is left";
    if (refusal?.refused === "server_failed" && !this.#hasWarned) {
      this.#hasWarned = true;
      logger.warn(
        "cannot send UDP to {target} by {outbound} from {client}: {reason}",
        {
          target: `${target}`,
          outbound: session.outbound,
          client: `${client}`,
          reason,
        },
      );
      return;
    }
    logger.debug(
      "cannot send UDP to {target} by {outbound} from {client}: {reason}",
      () => ({
        target: `${target}`,
        outbound: session.outbound,
        client: `${client}`,
        reason,
      }),
    );
  }

  #sendBy(packet: Packet, association: UDPAssociation, way: Way): void {
    if (way.packets.destination === undefined) {
      this.#sendDirectly(packet, association);
      return;
    }
    const { output } = this.#options.buffers;
    const out = packet.bytes === output ? this.#options.buffers.second : output;
    const data = sealedBytes(packet, out, way.packets.seal(packet, out));
    if (data === undefined) return;
    if (way.unansweredSince === 0) {
      way.unansweredSince = this.#options.now();
    }
    if (way.address !== undefined) {
      association.failure = undefined;
      association.sendTo(data, way.address);
      return;
    }
    this.#resolve(way.packets.destination, association, data, (address) => {
      way.address ??= address;
      return true;
    });
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
    const { address } = target;
    if (address === undefined) {
      this.#resolve(
        target,
        association,
        data,
        (each) => this.#isAllowed(each, association),
      );
      return;
    }
    if (!this.#isAllowed(address, association)) return;
    association.failure = undefined;
    association.sendTo(data, address);
  }

  #isAllowed(address: SocketAddress, association: UDPAssociation): boolean {
    const rule = this.#options.router.forbids(address, association.session);
    if (rule === undefined) return true;
    association.failure ??= "blocked";
    return false;
  }

  /**
   * Looks a name up and sends a datagram to the first of its addresses that
   * can be sent to (RFC 8305 for datagrams: only a failure known at once leads
   * to the next). A failed look-up is logged, and the datagram is lost.
   */
  #resolve(
    { host, port }: Target,
    association: UDPAssociation,
    data: Uint8Array,
    accepts: (address: SocketAddress) => boolean,
  ): void {
    if (this.#lookups >= MAX_LOOKUPS) return;
    this.#lookups++;
    let isDone = false;
    let kept = data;
    this.#options.resolver.resolve(host, ({ addresses, error }) => {
      this.#lookups--;
      isDone = true;
      if (association.closed) return;
      if (error !== undefined) {
        association.failure ??= "name_failed";
        logger.error("{reason} when handling UDP from {client}", {
          reason: error.message,
          client: `${association.client}`,
        });
        return;
      }
      for (const bytes of addresses) {
        const address = SocketAddress.fromBytes(bytes, port);
        if (!accepts(address)) continue;
        if (!association.sendTo(kept, address)) continue;
        association.failure = undefined;
        return;
      }
    });
    // The answer may come later, when the buffer holds something else.
    if (!isDone) kept = data.slice();
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
