/**
 * The names of servers and groups.
 *
 * @module
 */

import { shown } from "../_shown.ts";
import type { Context } from "../_context.ts";
import type { Spot } from "../formats/_place.ts";

/** Names that mean something else than a server or a group. */
export const RESERVED: ReadonlySet<string> = new Set(["direct", "block"]);

/** A server that wants a name. */
export interface Unnamed {
  /** What messages call it. */
  readonly label: string;
  /** The name, and whether it must stay as it is. */
  readonly name: { readonly text: string; readonly isFixed: boolean };
  /** Where the name stands. */
  readonly nameAt: Spot | undefined;
}

/**
 * Gives each server a name of its own: names that were given stay, the others
 * are changed until they differ.
 *
 * @param drafts The servers.
 * @param owners Takes who has which name.
 * @param context Takes what is wrong.
 * @returns The names, in the same order.
 */
export function nameAll(
  drafts: readonly Unnamed[],
  owners: Map<string, string>,
  context: Context,
): string[] {
  for (const { name: { text, isFixed }, label, nameAt } of drafts) {
    if (isFixed) claimName(text, { owners, owner: label, at: nameAt, context });
  }
  return drafts.map(({ name: { text, isFixed }, label }) => {
    if (isFixed) return text;
    let name = text;
    for (let i = 2; owners.has(name) || RESERVED.has(name); i++) {
      name = `${text} #${i}`;
    }
    owners.set(name, label);
    return name;
  });
}

/**
 * Gives a name to one server or group.
 *
 * @param name The name.
 * @param claim Who has which name already, who wants this one, where it
 * stands, and who takes what is wrong.
 */
export function claimName(
  name: string,
  { owners, owner, at, context }: {
    readonly owners: Map<string, string>;
    readonly owner: string;
    readonly at: Spot | undefined;
    readonly context: Context;
  },
): void {
  const what = shown(name);
  const other = owners.get(name);
  if (RESERVED.has(name)) {
    context.findings.refuse(
      `the name ${what} of ${owner} means something else: give it another`,
      at,
    );
  } else if (other !== undefined) {
    context.findings.refuse(
      `the name ${what} of ${owner} is that of ${other} too: give it another`,
      at,
    );
  } else {
    owners.set(name, owner);
  }
}
