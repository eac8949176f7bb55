/**
 * Takes the text of a configuration into a draft, with the places of its
 * entries for messages.
 *
 * @module
 */

import type { Draft, Origin } from "./_draft.ts";
import { ConfigSyntaxError, type Path, pathId } from "./_place.ts";
import { lineColumn, parseText } from "./document.ts";

/**
 * Reads a text and applies its entries.
 *
 * @param draft Takes settings, issues and warnings.
 * @param file The text, what messages call it, and how strict to be.
 * @throws {ConfigSyntaxError} If the text cannot be read; the message begins
 * with file, line and column.
 */
export function applyText(
  draft: Draft,
  file: {
    readonly path: string;
    readonly text: string;
    readonly strict: boolean;
    readonly forPort: boolean;
  },
): void {
  const { path, text } = file;
  const placeOf = (offset: number): string =>
    `${path}:${lineColumn(text, offset)}: `;
  let parsed;
  try {
    parsed = parseText(text, path);
  } catch (error) {
    if (!(error instanceof ConfigSyntaxError)) throw error;
    throw new ConfigSyntaxError(
      placeOf(error.offset) + error.message,
      error.offset,
    );
  }
  const { values, spans } = parsed;
  if (!isTable(values)) {
    throw new ConfigSyntaxError(
      `${placeOf(spans.get(pathId([]))?.value ?? 0)}` +
        "expected the keys of a configuration in { }",
      0,
    );
  }
  const originOf = (key: string): Origin => ({
    name: `"${key}"`,
    place(inner: Path, part): string {
      for (let length = inner.length; length >= 0; length--) {
        const span = spans.get(pathId([key, ...inner.slice(0, length)]));
        if (span !== undefined) return placeOf(span[part]);
      }
      return `${path}: `;
    },
    style: {},
  });
  draft.applyEntries(values, originOf, file);
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
