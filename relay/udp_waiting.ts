/**
 * Datagrams that wait for a name or for a decision of the router. When too many
 * wait, the oldest of the client that has most makes room; those of an
 * association end with it.
 *
 * @module
 */

import { FairShares, type ShareKey, shareKey } from "../loop/mod.ts";
import type { PendingQuestion, UDPAssociation } from "./udp_association.ts";

/**
 * Most datagrams that wait at once. Each is kept in memory, and may have 64
 * KiB.
 */
const MAX_WAITING = 256;

/** What a relay's datagrams wait for. */
export class WaitingDatagrams {
  readonly #shares = new FairShares<PendingQuestion>();

  /**
   * Notes a datagram that waits; another one may have to make room.
   *
   * @param association Whose it is.
   * @param cancel Takes the question back that it waits for.
   * @returns Ends the waiting, once the question is answered.
   */
  add(association: UDPAssociation, cancel: () => void): () => void {
    if (this.#shares.size >= MAX_WAITING) {
      this.#shares.largest()?.thing.takeBack();
    }
    const key: ShareKey = shareKey(association.session.client);
    const end = (): void => {
      this.#shares.remove(key, question);
      association.questions?.delete(question);
    };
    const question: PendingQuestion = {
      takeBack: (): void => {
        end();
        cancel();
      },
    };
    this.#shares.add(key, question);
    (association.questions ??= new Set()).add(question);
    return end;
  }
}
