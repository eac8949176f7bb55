/**
 * Texts gone wrong: by bytes, and by words that mean something where they land.
 *
 * @module
 */

import { text, utf8 } from "../support/mod.ts";
import type { Choices } from "./_choices.ts";

/**
 * Changes a text.
 *
 * @param original The text.
 * @param choices How.
 * @param words What may be put in.
 * @param times How often.
 * @returns The changed text.
 */
export function mutateText(
  original: string,
  choices: Choices,
  words: readonly string[],
  times: number,
): string {
  let changed = original;
  for (let i = 0; i < times; i++) changed = change(changed, choices, words);
  return changed;
}

function change(
  original: string,
  choices: Choices,
  words: readonly string[],
): string {
  const at = choices.below(original.length + 1);
  switch (choices.below(6)) {
    case 0:
      return original.slice(0, at) + choices.pick(words) + original.slice(at);
    case 1: {
      const end = at + choices.below(30);
      return original.slice(0, at) + choices.pick(words) + original.slice(end);
    }
    case 2: {
      const lines = original.split("\n");
      const [from, to] = [
        choices.below(lines.length),
        choices.below(lines.length),
      ];
      return lines.toSpliced(to, choices.below(2), lines[from]!).join("\n");
    }
    case 3: {
      const lines = original.split("\n");
      return lines.toSpliced(choices.below(lines.length), 1).join("\n");
    }
    case 4: {
      const many = choices.pick([2, 10, 100, 1000]);
      return original.slice(0, at) + choices.pick(words).repeat(many) +
        original.slice(at);
    }
    default:
      return text(choices.mutated(utf8(original), 1));
  }
}
