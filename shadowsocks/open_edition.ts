/**
 * Finds the edition that a method belongs to.
 *
 * @module
 */

import { type CipherMethod, findMethod } from "../crypto/mod.ts";
import type { DomainEndpoint } from "../socks5/mod.ts";
import { ClassicEdition } from "./classic_edition.ts";
import type { EditionClock } from "./clock.ts";
import type { Edition } from "./edition.ts";
import type { ReplayMemory } from "./replay_memory.ts";
import { CipherSuite, type ProviderSource } from "./suite.ts";

/** What an edition is made with. */
export interface EditionOptions {
  /** The method's name in any case. */
  readonly method: string;
  /** The password of the port or server. */
  readonly password: string;
  /** Client: send one-time authentication; server: require it. */
  readonly oneTimeAuth?: boolean | undefined;
  /** A server's users. Absent or empty: there are none. */
  readonly users?: readonly EditionUser[] | undefined;
}

/** A user of a server. */
export interface EditionUser {
  /** The name. */
  readonly name: string;
  /** The password; in the 2022 edition the key, in base64. */
  readonly password: string;
  /** The method; undefined: that of the server. */
  readonly method?: string | undefined;
  /**
   * Of the 2022 edition: the server behind this one that has the user's key,
   * which gets the requests that name it. Default: this server has it.
   */
  readonly next?: DomainEndpoint | undefined;
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
 * `bad_key` if a password is no key of the 2022 edition.
 */
export async function openEdition(
  options: EditionOptions,
  context: EditionContext,
): Promise<Edition> {
  const { method, password, oneTimeAuth } = options;
  const row = findMethod(method);
  if (row?.edition === "2022") return await open2022(row, options, context);
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
  return openSip022({ method, password, users }, {
    provider: await providers.forMethod(method),
    packetProvider: packets && await providers.forMethod(packets),
    memory,
    clock,
  });
}
