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

/**
 * Milliseconds for which a session is kept: the 60 s of SIP022, within which
 * the time in its packets may still be right; one second more since times are
 * whole seconds, one since `usedAt` may be as much too old.
 */
const KEPT = 62_000;
/** Milliseconds by which `usedAt` may be too old. */
const PRECISION = 1000;
/**
 * Most sessions at once where there are fewer associations: some 11 MB. Whoever
 * has a key can begin as many as there are packets; the one that was idle for
 * longest makes room.
 */
const USUAL_SESSIONS = 8192;

/** The session of a client, and the one that it is answered by. */
export interface Sip022Session {
  /** What an association is found by: the ID and the user's name. */
  readonly text: string;
  /** Whose it is. */
  user: Sip022User;
  /** The ID that the client has chosen. */
  readonly client: Uint8Array;
  /** Opens what the client sends; undefined: all packets have one key. */
  readonly openKey: AeadKey | undefined;
  /** Which packets have come. */
  readonly window: PacketWindow;
  /** The ID of the answers. */
  readonly server: Uint8Array;
  /** Seals the answers, from the first on, while the session is kept. */
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
  readonly #most: number;

  /**
   * Makes an empty table.
   *
   * @param passed Milliseconds of a clock that never goes back.
   * @param associations How many there are at most. Each keeps its session: a
   * client takes no third one within 60 s. Default: no more than 8,192.
   */
  constructor(passed: () => number, associations = 0) {
    this.#passed = passed;
    this.#most = Math.max(associations, USUAL_SESSIONS);
  }

  /** How many there are. */
  get size(): number {
    return this.#sessions.size;
  }

  /**
   * Finds the session of a packet.
   *
   * @param header Begins with the ID that the client has chosen.
   * @param user Whose packet it is. IDs of two users have nothing in common:
   * who sees that of another cannot come into that one's association.
   * @returns undefined: it would be a new one.
   */
  find(header: Uint8Array, user: Sip022User): Sip022Session | undefined {
    const session = this.#sessions.get(sessionText(header) + user.name);
    if (session === undefined || session.user === user) return session;
    // Users were replaced; one who has kept the key keeps the session.
    if (!isSameKey(session.user, user)) return undefined;
    session.user = user;
    return session;
  }

  /**
   * Makes a session, which is kept with {@linkcode Sip022Sessions.keep}.
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
    return {
      text: sessionText(header) + user.name,
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
   * Keeps a new session: its first packet was authentic.
   *
   * @param session What {@linkcode Sip022Sessions.make} has made.
   */
  keep(session: Sip022Session): void {
    const now = this.#passed();
    // Of a user who had another key.
    const before = this.#sessions.get(session.text);
    if (before !== undefined) this.#forget(before);
    this.#makeRoom(now);
    session.usedAt = now;
    this.#sessions.set(session.text, session);
  }

  /**
   * Notes that an authentic packet of a session has come, or that it has been
   * answered.
   *
   * @param session The session; nothing happens if it is kept no more.
   */
  use(session: Sip022Session): void {
    if (session.usedAt < 0) return;
    const now = this.#passed();
    // Once a second is often enough to know which was idle for longest.
    if (now - session.usedAt < PRECISION) return;
    session.usedAt = now;
    this.#sessions.delete(session.text);
    this.#sessions.set(session.text, session);
  }

  /** Wipes all keys. */
  [Symbol.dispose](): void {
    for (const session of this.#sessions.values()) this.#forget(session);
  }

  /** Makes room for a new one. */
  #makeRoom(now: number): void {
    for (const session of this.#sessions.values()) {
      const isIdle = now - session.usedAt > KEPT;
      if (!isIdle && this.#sessions.size < this.#most) return;
      this.#forget(session);
    }
  }

  /** An association may still answer by it: that key is made again. */
  #forget(session: Sip022Session): void {
    this.#sessions.delete(session.text);
    session.usedAt = -1;
    session.openKey?.[Symbol.dispose]();
    session.sealKey?.[Symbol.dispose]();
    session.sealKey = undefined;
  }
}

function isSameKey({ key }: Sip022User, other: Sip022User): boolean {
  return key.every((byte, i) => byte === other.key[i]);
}
