/**
 * Sends the datagrams of associations: finds their path, and seals them for
 * it.
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
import type { PacketPath, UDPAssociation } from "./udp_association.ts";

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
      const path = association.pathFor(route);
      if (path === undefined) this.#pick(kept ?? packet, association, route);
      else {
        association.session.outbound = path.outbound.name;
        this.#take(kept ?? packet, association, path);
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
    if (path.packets.destination === undefined) {
      this.#sendDirectly(packet, association);
      return;
    }
    const out = this.#options.buffers.besides(packet.bytes);
    const data = sealedBytes(packet, out, path.packets.seal(packet, out));
    if (data === undefined) return;
    if (path.unansweredSince === 0) {
      path.unansweredSince = this.#options.now();
    }
    if (path.address !== undefined) {
      association.failure = undefined;
      association.sendTo(data, path.address);
      return;
    }
    this.#resolve(path.packets.destination, association, data, (address) => {
      path.address ??= address;
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
        (each) => this.#isAllowed(each, association, target),
      );
      return;
    }
    if (!this.#isAllowed(address, association, target)) return;
    association.failure = undefined;
    association.sendTo(data, address);
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
