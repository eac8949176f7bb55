/**
 * The UDP sessions that a server has with its clients in the 2022 edition
 * (SIP022, section 3.2): found by the ID that the client has chosen.
 *
 * @module
 */

import type { AeadKey } from "../crypto/mod.ts";
import { PacketWindow } from "./_packet_window.ts";
import { SESSION_LENGTH, sessionText } from "./_sip022_packets.ts";
import type { Sip022User } from "./_sip022_users.ts";

/** SIP022: milliseconds for which a session is kept at least. */
const KEPT = 60_000;
/**
 * Most sessions at once, which are some 10 MB. Whoever has a key can begin as
 * many as there are packets; the one that was idle for longest makes room.
 */
const MAX_SESSIONS = 8192;

/** The session of a client, and the one that it is answered by. */
export interface Sip022Session {
  /** What an association is found by. */
  readonly text: string;
  /** Whose it is. */
  readonly user: Sip022User;
  /** The ID that the client has chosen. */
  readonly client: Uint8Array;
  /** Opens what the client sends; undefined: all packets have one key. */
  readonly openKey: AeadKey | undefined;
  /** Which packets have come. */
  readonly window: PacketWindow;
  /** The ID of the answers. */
  readonly server: Uint8Array;
  /** Seals the answers, from the first on. */
  sealKey: AeadKey | undefined;
  /** The number of the next answer. */
  next: number;
  /** Milliseconds of the clock when it was used last; -1: it is not kept. */
  usedAt: number;
}

/** All sessions of a listener. */
export class Sip022Sessions implements Disposable {
  /** The one that was idle for longest first. */
  readonly #sessions = new Map<string, Sip022Session>();
  readonly #passed: () => number;

  /**
   * Makes an empty table.
   *
   * @param passed Milliseconds of a clock that never goes back.
   */
  constructor(passed: () => number) {
    this.#passed = passed;
  }

  /** How many there are. */
  get size(): number {
    return this.#sessions.size;
  }

  /**
   * Finds the session of a packet.
   *
   * @param header Begins with the ID that the client has chosen.
   * @param user Whose packet it is: IDs of two users have nothing in common.
   * @returns undefined: it would be a new one.
   */
  find(header: Uint8Array, user: Sip022User): Sip022Session | undefined {
    const text = sessionText(header);
    const session = this.#sessions.get(text);
    if (session === undefined || session.user === user) return session;
    return this.#sessions.get(text + user.name);
  }

  /**
   * Makes a session, which is kept with {@linkcode Sip022Sessions.use}.
   *
   * @param header Begins with the ID that the client has chosen.
   * @param user Whose it is.
   * @param openKey Opens what the client sends.
   * @returns The session.
   */
  make(
    header: Uint8Array,
    user: Sip022User,
    openKey: AeadKey | undefined,
  ): Sip022Session {
    const text = sessionText(header);
    return {
      text: this.#sessions.has(text) ? text + user.name : text,
      user,
      client: header.slice(0, SESSION_LENGTH),
      openKey,
      window: new PacketWindow(),
      server: crypto.getRandomValues(new Uint8Array(SESSION_LENGTH)),
      sealKey: undefined,
      next: 0,
      usedAt: -1,
    };
  }

  /**
   * Notes that an authentic packet of a session has come.
   *
   * @param session The session, a new one too.
   */
  use(session: Sip022Session): void {
    const now = this.#passed();
    const { text } = session;
    const isNew = session.usedAt < 0;
    // Once a second is often enough to know which was idle for longest.
    if (!isNew && now - session.usedAt < 1000) return;
    session.usedAt = now;
    if (isNew) this.#forget(now);
    else this.#sessions.delete(text);
    this.#sessions.set(text, session);
  }

  /** Wipes all keys. */
  [Symbol.dispose](): void {
    for (const session of this.#sessions.values()) wipe(session);
    this.#sessions.clear();
  }

  /** Makes room for a new one. */
  #forget(now: number): void {
    for (const [text, session] of this.#sessions) {
      const isIdle = now - session.usedAt > KEPT;
      if (!isIdle && this.#sessions.size < MAX_SESSIONS) return;
      // An association may still send answers by it.
      this.#sessions.delete(text);
    }
  }
}

function wipe({ openKey, sealKey }: Sip022Session): void {
  openKey?.[Symbol.dispose]();
  sealKey?.[Symbol.dispose]();
}
