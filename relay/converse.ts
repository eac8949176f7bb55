/**
 * The handshake with a client: what is exchanged before its request is known.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { WAIT_STATUS_INIT } from "./constants.ts";
import type { InboundAnswer, InboundStream, MoreAnswer } from "./inbound.ts";
import type { Pipe, PipeContext, PipeOwner } from "./pipe.ts";
import type { AssociationRegistry } from "./relay_context.ts";
import { namesOf, type Session } from "./session.ts";

/**
 * Milliseconds in which any bytes have been looked at: to try a thousand keys
 * takes 1 or 2.
 */
const LOOKING_TIME = 50;

const logger = getLogger(["shadowsocks", "relay"]);

/**
 * Gives an inbound what has come until it needs more or has decided: a client
 * may send its request right behind its greeting. Replies are sent; what is
 * left over is kept in front of the next read.
 *
 * @param inbound The client's side.
 * @param data Bytes that came and were not consumed yet.
 * @param options `output`: room for what is decoded; `pipe`: leads to the
 * client; `owner`: the connection, which may end while a reply is sent.
 * @returns The inbound's last word; `more` if it has not decided, or if the
 * connection has ended while a reply was sent.
 */
export function converse(
  inbound: InboundStream,
  data: Uint8Array,
  options: {
    readonly output: Uint8Array;
    readonly pipe: Pipe;
    readonly owner: PipeOwner;
  },
): InboundAnswer {
  const { output, pipe, owner } = options;
  let rest = data;
  for (;;) {
    const answer = inbound.receive(rest, output);
    if (answer.kind === "refuse") return answer;
    rest = rest.subarray(answer.consumed);
    if (answer.kind === "more" && answer.reply !== undefined) {
      pipe.write(pipe.down, answer.reply);
      if (owner.isDestroyed()) return answer;
    }
    if (answer.kind === "more" && answer.consumed > 0 && rest.length > 0) {
      continue;
    }
    pipe.up.carry = rest.length > 0 ? rest.slice() : undefined;
    return answer;
  }
}

/** A connection that waits for silence. */
export interface SilenceOwner {
  /** When bytes came last, in seconds of the loop's clock. */
  readonly lastActivity: number;
  /** Called once when there was silence, unless it is taken back. */
  onSilence(): void;
}

/**
 * Waits until nothing has come for as long as an inbound wants. That moment
 * does not tell how long the bytes were looked at, which takes the longer the
 * more keys there are to try.
 *
 * @param answer Its answer.
 * @param context Has the loop.
 * @param pipe Leads to the client, who is not read if nothing more may come.
 * @param owner The connection.
 * @returns Takes it back.
 */
export function awaitSilence(
  { silence = 0, isFull }: MoreAnswer,
  { loop }: PipeContext,
  pipe: Pipe,
  owner: SilenceOwner,
): () => void {
  if (isFull === true) pipe.updateStream(pipe.up, WAIT_STATUS_INIT);
  // A timer that is set now counts from when the bytes have been looked at; the
  // one that is set after it knows how much is left.
  let timer = loop.addTimer(Math.max(0, silence - LOOKING_TIME), () => {
    const gone = loop.time() - owner.lastActivity;
    const left = Math.max(0, silence - 1000 * gone);
    timer = loop.addTimer(left, () => owner.onSilence());
  });
  return () => timer.cancel();
}

/**
 * Lets a client have a UDP association.
 *
 * @param registry The UDP side of the listener.
 * @param session The session of the connection that holds it.
 * @param port The port that its datagrams come from; 0: not known.
 * @returns Ends it.
 */
export function associate(
  registry: AssociationRegistry,
  session: Session,
  port: number,
): () => void {
  const { client, user } = session;
  logger.debug("UDP associate from {client}", namesOf(session));
  return registry.associate(client.host, user, port);
}
