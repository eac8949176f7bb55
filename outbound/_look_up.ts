/**
 * Questions about names that can be taken back.
 *
 * @module
 */

import type { DnsAnswer, Resolver } from "../dns/mod.ts";

/**
 * Looks a name up.
 *
 * @param host The name.
 * @param resolver Looks it up.
 * @param done Called once with the answer, maybe at once.
 * @returns Takes the question back; undefined if it was answered.
 */
export function lookUp(
  host: string,
  resolver: Resolver,
  done: (answer: DnsAnswer) => void,
): (() => void) | undefined {
  let isAnswered = false;
  const onAnswer = (answer: DnsAnswer): void => {
    isAnswered = true;
    done(answer);
  };
  resolver.resolve(host, onAnswer);
  return isAnswered ? undefined : () => resolver.removeCallback(onAnswer);
}
