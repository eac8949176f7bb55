/**
 * The lines about targets that are refused.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { SocketAddress } from "../loop/mod.ts";
import type { Session, Target } from "../relay/mod.ts";

const logger = getLogger(["shadowsocks", "outbound"]);

/**
 * Rules that are told of one association. A client meets few of them; one that
 * meets more scans, and has been named often enough.
 */
const MAX_RULES = 16;

/**
 * Logs refusals: each of a connection, and of an association the first by each
 * rule, since every datagram for such a target is refused anew. The others are
 * for debugging.
 */
export class RefusalLog {
  /** The rules by which datagrams of an association were refused. */
  readonly #told = new WeakMap<Session, Set<string>>();

  /**
   * Says that a rule of an ACL forbids a target.
   *
   * @param rule The rule.
   * @param target The target, or an address of it.
   * @param session Who asks.
   * @returns The rule.
   */
  block(
    rule: string,
    target: Target | SocketAddress,
    session: Session,
  ): string {
    const template = "{target} is blocked by rule {rule} for {client}";
    const properties = (): Record<string, string> => ({
      target: `${target}`,
      rule,
      client: `${session.client}`,
    });
    if (this.#isNew(rule, session)) logger.info(template, properties);
    else logger.debug(template, properties);
    return rule;
  }

  /**
   * Says that an address lies in a forbidden network.
   *
   * @param network The network.
   * @param ip The address.
   * @param session Who asks.
   * @returns The network in the form of rules.
   */
  forbid(network: string, ip: string, session: Session): string {
    const rule = `forbidden_ip ${network}`;
    const template = session.network === "udp"
      ? "IP {ip} is in forbidden list, drop, UDP from {client}"
      : "IP {ip} is in forbidden list, reject, when handling connection from {client}";
    const properties = (): Record<string, string> => ({
      ip,
      client: `${session.client}`,
    });
    if (this.#isNew(rule, session)) logger.error(template, properties);
    else logger.debug(template, properties);
    return rule;
  }

  /** Whether a refusal is told: of a connection each one is. */
  #isNew(rule: string, session: Session): boolean {
    if (session.network === "tcp") return true;
    let rules = this.#told.get(session);
    if (rules === undefined) this.#told.set(session, rules = new Set());
    if (rules.has(rule) || rules.size >= MAX_RULES) return false;
    rules.add(rule);
    return true;
  }
}
