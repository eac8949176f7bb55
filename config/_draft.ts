/**
 * Gathers settings from the file and the command line, with everything that
 * is wrong with them.
 *
 * @module
 */

import { findKey, keyNames, type KeyRow } from "./_keys.ts";
import { nearest } from "./_nearest.ts";
import type { Path } from "./_place.ts";
import type { Report } from "./_report.ts";
import type { Settings } from "./_settings.ts";
import { type Issue, issue, type Notice, warning } from "./notice.ts";

/** The longest value that a message repeats. */
const MAX_SHOWN = 40;

/** Where a setting comes from, for messages. */
export interface Origin {
  /** What a message calls the setting: `"server_port"` or `option -p`. */
  readonly name: string;
  /** What a message begins with: `config.json:3:5: `, or nothing. */
  place(path: Path, part: "key" | "value"): string;
  /** How a value of the wrong form is reported. */
  readonly style: Partial<Pick<Issue, "style" | "exitCode" | "usage">>;
}

/** Settings while they are gathered. */
export class Draft {
  /** What is good so far. */
  readonly settings: Settings = {};
  /** What is wrong so far. */
  readonly issues: Issue[] = [];
  /** What is to be said in the log. */
  readonly warnings: Notice[] = [];
  /** Fields whose value was refused: rules have nothing more to say there. */
  readonly refused = new Set<keyof Settings>();
  /** Whether any setting was given, right or wrong. */
  isEmpty = true;
  /** Whether the file could not be read: then nothing else can be judged. */
  isUnread = false;
  readonly #places = new Map<keyof Settings, string>();

  /**
   * Takes one value; a later one of the same setting wins.
   *
   * @param row The key.
   * @param value The value as given; null means "not given".
   * @param origin Where it comes from.
   */
  apply(row: KeyRow, value: unknown, origin: Origin): void {
    this.isEmpty = false;
    if (value === null) return;
    const good = row.apply(
      this.settings,
      value,
      this.#report({ row, value, origin }),
    );
    for (const field of row.fields) {
      this.#places.set(field, origin.place([], "value"));
      if (!good) this.refused.add(field);
    }
  }

  /**
   * Takes the entries of a file or of a message.
   *
   * @param entries Values by key.
   * @param originOf The origin of a key.
   * @param options `strict`: unknown keys are issues, not warnings;
   * `forPort`: keys of the process are not taken.
   */
  applyEntries(
    entries: Readonly<Record<string, unknown>>,
    originOf: (key: string) => Origin,
    options: { readonly strict: boolean; readonly forPort: boolean },
  ): void {
    const seen = new Map<KeyRow, string>();
    for (const [key, value] of Object.entries(entries)) {
      const origin = originOf(key);
      const place = origin.place([], "key");
      const row = findKey(key);
      if (row === "remark") continue;
      if (row === "unsupported") {
        this.isEmpty = false;
        this.#warn(`${place}key "${key}" is not supported, ignored`);
      } else if (row === undefined) {
        this.isEmpty = false;
        const text = `${place}${unknownKey(key)}`;
        if (options.strict) this.issues.push(issue(text));
        else this.#warn(`${text}; ignored`);
      } else if (options.forPort && row.ofProcess) {
        this.#warn(`${place}"${key}" cannot be set for one port, ignored`);
      } else if (seen.has(row)) {
        this.issues.push(
          issue(
            `${place}"${key}" is given twice, first as "${seen.get(row)}"`,
          ),
        );
      } else {
        seen.set(row, key);
        this.apply(row, value, origin);
      }
    }
  }

  /**
   * Where a setting was given.
   *
   * @param field The setting.
   * @returns What a message about it begins with.
   */
  place(field: keyof Settings): string {
    return this.#places.get(field) ?? "";
  }

  #warn(text: string): void {
    this.warnings.push(warning(text));
  }

  #report(
    { row, value, origin }: { row: KeyRow; value: unknown; origin: Origin },
  ): Report {
    return {
      expected: (expected, part): undefined => {
        const wrong = part === undefined ? value : part.value;
        const found = row.secret ? describeSecret(wrong) : describe(wrong);
        const path = part?.path ?? [];
        const inside = typeof path[0] === "number" ? `[${path[0]}]` : "";
        this.issues.push(
          issue(
            `${origin.place(path, row.secret ? "key" : "value")}` +
              `${origin.name}${inside} is ${found}: expected ${expected}`,
            origin.style,
          ),
        );
      },
      refused: (text, options): undefined => {
        this.issues.push(
          issue(`${origin.place([], "value")}${text}`, options),
        );
      },
      warn: (text): void => this.#warn(text),
    };
  }
}

function unknownKey(key: string): string {
  const guess = nearest(key.toLowerCase(), keyNames());
  const hint = guess === undefined ? "" : `: did you mean "${guess}"?`;
  return `Unknown key ${describe(key)}${hint}`;
}

function describe(value: unknown): string {
  if (typeof value === "string") {
    const shown = JSON.stringify(value.slice(0, MAX_SHOWN));
    return value.length > MAX_SHOWN ? `${shown} and more` : shown;
  }
  if (typeof value === "number" || typeof value === "boolean") {
    return String(value);
  }
  if (value === null) return "null";
  if (value instanceof Date) return "a date";
  return Array.isArray(value) ? "a list" : "a table of values";
}

/** The kind and size of a value, for those that are secret. */
function describeSecret(value: unknown): string {
  if (typeof value === "string") return `a text of ${value.length} characters`;
  if (typeof value === "number") return "a number";
  return typeof value === "boolean" ? "true or false" : describe(value);
}
