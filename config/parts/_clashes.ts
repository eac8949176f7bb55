/**
 * Finds listeners that would get in each other's way.
 *
 * @module
 */

import { formatHostPort, isUnspecifiedIp, parseIp } from "../../loop/mod.ts";
import type { Mode } from "../types.ts";

/** What listens, as far as it matters here. */
interface Listening {
  /** The address or name. */
  readonly host: string;
  /** The port; 0 lets the system choose. */
  readonly port: number;
  /** Which protocols. */
  readonly mode: Mode;
}

/** Remembers listeners; each is compared with all before it in one step. */
export class Clashes {
  /** The first listener of each protocol at each place. */
  readonly #first = new Map<string, { label: string; place: string }>();

  /**
   * Adds a listener.
   *
   * @param listener What listens.
   * @param label What messages call it.
   * @returns Where it and which other one listen; undefined if there is none.
   */
  add(listener: Listening, label: string): string | undefined {
    const { host, port, mode } = listener;
    if (port === 0) return undefined;
    const place = formatHostPort({ host, port });
    const literal = parseIp(host.replace(/%.*/, ""));
    const isEvery = literal !== undefined && isUnspecifiedIp(literal);
    let other: { label: string; place: string } | undefined;
    for (const protocol of ["tcp", "udp"] as const) {
      if (mode === (protocol === "tcp" ? "udp_only" : "tcp_only")) continue;
      // `::` takes IPv4 too on some systems, not on all: that is not refused.
      const family = `${protocol} ${literal?.length ?? 0} ${port}`;
      const own = [`${protocol} ${place}`];
      if (literal !== undefined) {
        own.push(`${family} ${isEvery ? "every" : "one"}`);
      }
      const taken = literal === undefined
        ? own
        : [own[0]!, `${family} ${isEvery ? "one" : "every"}`];
      for (const key of taken) other ??= this.#first.get(key);
      for (const key of own) {
        if (!this.#first.has(key)) this.#first.set(key, { label, place });
      }
    }
    if (other === undefined) return undefined;
    return other.place === place
      ? `${label} listens on ${place}, as does ${other.label}`
      : `${label} listens on ${place}, which is taken by ${other.label} on ` +
        other.place;
  }
}
