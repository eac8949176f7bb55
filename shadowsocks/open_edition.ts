/**
 * Finds the edition that a method belongs to.
 *
 * @module
 */

import { type CipherMethod, findMethod } from "../crypto/mod.ts";
import { ClassicEdition } from "./classic_edition.ts";
import type { EditionClock } from "./clock.ts";
import type { Edition } from "./edition.ts";
import type { ReplayMemory } from "./replay_memory.ts";
import { CipherSuite, type ProviderSource } from "./suite.ts";

/** One of the users of a port. */
export interface EditionUser {
  /** The name, not empty; what a request of the user's says. */
  readonly name: string;
  /** The password; in the 2022 edition the key, in base64. */
  readonly password: string;
  /** The user's own method, in any case. Default: that of the port. */
  readonly method?: string | undefined;
  /** Whether to refuse the user, as somebody with a wrong password. */
  readonly disabled?: boolean | undefined;
  /**
   * Of the 2022 edition: the server behind this one that has the user's key,
   * which gets the requests that name it. Default: this server has it.
   */
  readonly next?: { readonly host: string; readonly port: number } | undefined;
}

/** What an edition is made with. */
export interface EditionOptions {
  /** The method's name in any case. */
  readonly method: string;
  /**
   * The password of the port or server. With users of 2017: that of the
   * nameless user beside them; empty: there is none. With users of 2022 the
   * key of the identity headers.
   */
  readonly password: string;
  /**
   * A server's users, those who are disabled too: where all of them are, nobody
   * is served. Absent or empty: whoever has the password is.
   */
  readonly users?: readonly EditionUser[] | undefined;
  /** Client: send one-time authentication; server: require it. */
  readonly oneTimeAuth?: boolean | undefined;
}

/** What editions share. */
export interface EditionContext {
  /** Where the libraries come from; must outlive the edition. */
  readonly providers: ProviderSource;
  /** Where salts are remembered. Default: in the edition alone. */
  readonly replayMemory?: ReplayMemory | undefined;
  /** What time it is. Default: the system's clocks. */
  readonly clock?: EditionClock | undefined;
}

/**
 * Makes the edition of a port or server.
 *
 * @param options Method and password.
 * @param context What it shares with others.
 * @returns The edition.
 * @throws {CipherError} `unknown_method`, or if no library has the method;
 * `not_supported`, if there are users and it cannot have any; `bad_key` if a
 * password is no key of the 2022 edition, or users cannot be told apart.
 */
export async function openEdition(
  options: EditionOptions,
  context: EditionContext,
): Promise<Edition> {
  const { method, password, users, oneTimeAuth } = options;
  const row = findMethod(method);
  if (row?.edition === "2022") return await open2022(row, options, context);
  if (users !== undefined && users.length > 0) {
    const { openUsersEdition } = await import("./users_edition.ts");
    return await openUsersEdition({ ...options, users }, context);
  }
  const { providers, replayMemory } = context;
  const suite = await CipherSuite.create(method, password, providers);
  return new ClassicEdition(suite, oneTimeAuth, replayMemory);
}

async function open2022(
  method: CipherMethod,
  { password, users }: EditionOptions,
  { providers, replayMemory: memory, clock }: EditionContext,
): Promise<Edition> {
  const { openSip022, packetMethod } = await import("./sip022_edition.ts");
  const packets = packetMethod(method);
  const edition = await openSip022({ method, password, users }, {
    provider: await providers.forMethod(method),
    packetProvider: packets && await providers.forMethod(packets),
    memory,
    clock,
  });
  // Also when that leaves none: every user knows the key of the headers, which
  // must not be enough.
  const isDisabled = ({ disabled }: EditionUser): boolean => disabled === true;
  if (users?.some(isDisabled) === true) {
    edition.setUsers(users.filter((user) => !isDisabled(user)));
  }
  return edition;
}
