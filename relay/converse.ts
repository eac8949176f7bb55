/**
 * The handshake with a client: what is exchanged before its request is known.
 *
 * @module
 */

import type { InboundAnswer, InboundStream } from "./inbound.ts";
import type { Pipe, PipeOwner } from "./pipe.ts";

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
