/**
 * Questions about names that can be taken back.
 *
 * @module
 */

import type { DnsAnswer, ResolveOptions, Resolver } from "../dns/mod.ts";

/**
 * Looks a name up.
 *
 * @param host The name.
 * @param resolver Looks it up.
 * @param done Called once with the answer, maybe at once.
 * @param asker For whom.
 * @returns Takes the question back; undefined if it was answered.
 */
export function lookUp(
  host: string,
  resolver: Resolver,
  done: (answer: DnsAnswer) => void,
  asker: ResolveOptions["asker"],
): (() => void) | undefined {
  let isAnswered = false;
  const onAnswer = (answer: DnsAnswer): void => {
    isAnswered = true;
    done(answer);
  };
  resolver.resolve(host, onAnswer, { asker });
  return isAnswered ? undefined : () => resolver.removeCallback(onAnswer);
}
