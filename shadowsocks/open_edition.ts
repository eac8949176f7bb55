/**
 * Finds the edition that a method belongs to.
 *
 * @module
 */

import { ClassicEdition } from "./classic_edition.ts";
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
}

/** What editions share. */
export interface EditionContext {
  /** Where the libraries come from; must outlive the edition. */
  readonly providers: ProviderSource;
  /** Where salts are remembered. Default: in the edition alone. */
  readonly replayMemory?: ReplayMemory | undefined;
}

/**
 * Makes the edition of a port or server.
 *
 * @param options Method and password.
 * @param context What it shares with others.
 * @returns The edition.
 * @throws {CipherError} `unknown_method`, or if no library has the method.
 */
export async function openEdition(
  options: EditionOptions,
  { providers, replayMemory }: EditionContext,
): Promise<Edition> {
  const { method, password, oneTimeAuth } = options;
  const suite = await CipherSuite.create(method, password, providers);
  return new ClassicEdition(suite, oneTimeAuth, replayMemory);
}
