/**
 * How many bytes each port has relayed: ciphertext read from clients, and
 * plaintext read from targets.
 *
 * @module
 */

import { type Observer, type Session, STREAM_UP } from "../relay/mod.ts";

/** Counts by port, since the last look and since the port was added. */
export class PortTraffic implements Observer {
  #recent = new Map<number, number>();
  readonly #totals = new Map<number, number>();

  /**
   * Counts what a session has moved, as the original does: what is read.
   *
   * @param session Says which port.
   * @param stream `STREAM_UP` or `STREAM_DOWN`.
   * @param payload Bytes of the application: read from the target (down).
   * @param wire Bytes on the client's side: read from the client (up).
   */
  onBytes(
    session: Session,
    stream: number,
    payload: number,
    wire: number,
  ): void {
    this.count(session.listener.port, stream === STREAM_UP ? wire : payload);
  }

  /**
   * Adds bytes.
   *
   * @param port Their port.
   * @param bytes How many.
   */
  count(port: number, bytes: number): void {
    this.#recent.set(port, (this.#recent.get(port) ?? 0) + bytes);
    this.#totals.set(port, (this.#totals.get(port) ?? 0) + bytes);
  }

  /**
   * Takes the counts since the last call.
   *
   * @returns Port and bytes of the ports that had any.
   */
  takeRecent(): readonly (readonly [port: number, bytes: number])[] {
    const recent = [...this.#recent];
    this.#recent.clear();
    return recent;
  }

  /**
   * All bytes of a port.
   *
   * @param port The port.
   * @returns How many since it was last forgotten.
   */
  total(port: number): number {
    return this.#totals.get(port) ?? 0;
  }

  /**
   * Starts the counts of a port anew.
   *
   * @param port The port.
   * @returns Bytes that {@linkcode PortTraffic.takeRecent} has not given.
   */
  forget(port: number): number {
    const recent = this.#recent.get(port) ?? 0;
    this.#recent.delete(port);
    this.#totals.delete(port);
    return recent;
  }
}
