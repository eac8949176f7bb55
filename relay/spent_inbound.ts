/**
 * The client's side of a connection whose handshake is over.
 *
 * @module
 */

import type { InboundStream } from "./inbound.ts";

/** Serves all connections whose bytes are the payload. */
const SPENT: InboundStream = {
  codec: undefined,
  receive: () => ({ kind: "refuse", status: "error", ending: "reset" }),
  connected: () => undefined,
  failed: () => ({ ending: "reset" }),
  [Symbol.dispose]: () => {},
};

/**
 * Lets go of what only the handshake needed, which would otherwise live as
 * long as the connection.
 *
 * @param stream The client's side; disposed of if it has no codec.
 * @returns What takes its place.
 */
export function withoutHandshake(stream: InboundStream): InboundStream {
  if (stream.codec !== undefined) return stream;
  stream[Symbol.dispose]();
  return SPENT;
}
