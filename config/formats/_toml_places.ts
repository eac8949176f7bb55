/**
 * Finds the places of values in a TOML text. Loaded only when there is
 * something to report.
 *
 * @module
 */

import { type AST, ParseError, parseTOML } from "toml-eslint-parser";
import { blankMark, type Locator, type Path, type Spot } from "./_place.ts";

/** Finds the places in one TOML text. */
export class TomlLocator implements Locator {
  readonly #spots = new Map<string, { key: number; value: number }>();

  /**
   * Reads a text.
   *
   * @param text The text, which is TOML. Where this reader takes it for
   * something else, there are no places, and everything is at its beginning.
   */
  constructor(text: string) {
    const program = parsed(blankMark(text));
    if (program === undefined) return;
    for (const node of program.body[0].body) {
      if (node.type === "TOMLKeyValue") this.#addPair(node, []);
      else this.#addTable(node);
    }
  }

  offsetOf({ path, part }: Spot): number {
    for (let length = path.length; length > 0; length--) {
      const found = this.#spots.get(idOf(path.slice(0, length)));
      if (found !== undefined) return found[part];
    }
    return 0;
  }

  #addTable(node: AST.TOMLTable): void {
    const [start] = node.range;
    this.#add(node.resolvedKey, { key: start, value: start });
    for (const pair of node.body) this.#addPair(pair, node.resolvedKey);
  }

  #addPair(node: AST.TOMLKeyValue, parent: Path): void {
    const names = node.key.keys.map((key) =>
      key.type === "TOMLBare" ? key.name : key.value
    );
    const place = { key: node.range[0], value: node.value.range[0] };
    this.#add([...parent, ...names], place);
    this.#addContent(node.value, [...parent, ...names]);
  }

  #addContent(node: AST.TOMLContentNode, path: Path): void {
    if (node.type === "TOMLInlineTable") {
      for (const pair of node.body) this.#addPair(pair, path);
    } else if (node.type === "TOMLArray") {
      for (const [i, element] of node.elements.entries()) {
        const [start] = element.range;
        this.#add([...path, i], { key: start, value: start });
        this.#addContent(element, [...path, i]);
      }
    }
  }

  /** Tables on the way to a value are where their first value is. */
  #add(path: Path, place: { key: number; value: number }): void {
    for (let length = 1; length <= path.length; length++) {
      const id = idOf(path.slice(0, length));
      if (!this.#spots.has(id)) this.#spots.set(id, place);
    }
  }
}

function parsed(text: string): AST.TOMLProgram | undefined {
  try {
    return parseTOML(text);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    // A text of more than some 100,000 letters is too long for this reader.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function idOf(path: Path): string {
  return path.map((step) => JSON.stringify(step)).join("/");
}
