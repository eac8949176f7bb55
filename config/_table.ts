/**
 * Reads the values of a table by what is known of its keys.
 *
 * @module
 */

import type { FileValues } from "./_file_values.ts";
import type { Findings } from "./_findings.ts";
import type { IssueStyle } from "./notice.ts";
import { describeLength, quoted, shown } from "./_shown.ts";
import { SYNONYMS } from "./keys/_foreign_keys.ts";
import { nearest } from "./readers/_nearest.ts";
import type { Path, Spot } from "./formats/_place.ts";
import type {
  Key,
  Keys,
  Report,
  Section,
  TableSpec,
  Values,
} from "./keys/_shape.ts";

/** Keys that describe a configuration and change nothing. */
export const REMARKS: ReadonlySet<string> = new Set([
  "$schema",
  "_comment",
  "group",
  "id",
  "remarks",
  "version",
]);

/** Where a value comes from, for messages. */
export interface Origin {
  /** What a message calls it: `"server_port"` or `option -p`. */
  readonly name: string;
  /** Where it stands in the file; undefined for options. */
  readonly path: Path | undefined;
  /** How a value of the wrong form is reported. */
  readonly style?: IssueStyle;
  /** Whether something of it was not given but found: no message shows it. */
  readonly isFound?: boolean;
}

/** How a table is read. */
export interface ReadMode {
  /** Whether unknown keys are issues and not warnings. */
  readonly strict: boolean;
  /** Whether keys of the process are not taken. */
  readonly forPort: boolean;
}

/** Where a table comes from. */
interface TableOrigin {
  /** Where it stands in the file. */
  readonly path?: Path;
  /** Gives what the file does not hold itself; absent: it is taken as it is. */
  readonly file?: FileValues | undefined;
}

/** The values of a table, each with its place. */
export class Table<K extends Keys> implements Section<K> {
  /** What is good so far. */
  readonly values: Values<K> = {};
  /** Keys whose value was refused: rules have nothing more to say there. */
  readonly refused = new Set<keyof K>();
  /** Whether any value was given, right or wrong. */
  isEmpty = true;
  readonly #path: Path;
  readonly #file: FileValues | undefined;
  readonly #spec: TableSpec<K>;
  readonly #findings: Findings;
  readonly #paths = new Map<keyof K, Path | undefined>();

  /**
   * Makes an empty table.
   *
   * @param spec What it may hold.
   * @param findings Takes what is wrong.
   * @param origin Where it comes from.
   */
  constructor(
    spec: TableSpec<K>,
    findings: Findings,
    { path = [], file }: TableOrigin = {},
  ) {
    this.#spec = spec;
    this.#findings = findings;
    this.#path = path;
    this.#file = file;
  }

  lacks(key: keyof K): boolean {
    return this.values[key] === undefined && !this.refused.has(key);
  }

  at(key: keyof K, inner: Path = []): Spot | undefined {
    const path = this.#paths.get(key);
    return path && { path: [...path, ...inner], part: "value" };
  }

  get spot(): Spot {
    return { path: this.#path, part: "key" };
  }

  nameOf(key: keyof K): string | undefined {
    const last = this.#paths.get(key)?.at(-1);
    return last === undefined ? undefined : String(last);
  }

  /**
   * Takes one value; a later one of the same key wins.
   *
   * @param name The key.
   * @param value The value as given; null means "not given".
   * @param origin Where it comes from.
   */
  set(name: keyof K & string, value: unknown, origin: Origin): void {
    this.isEmpty = false;
    if (value === null) return;
    const key = this.#spec.keys[name]!;
    const good = key.shape.read(value, this.#report(key, value, origin));
    this.#paths.set(name, origin.path);
    if (good === undefined) this.refused.add(name);
    else this.values[name] = good as Values<K>[typeof name];
  }

  /**
   * Takes the entries of a table.
   *
   * @param entries Values by key.
   * @param mode How to treat what does not belong.
   */
  read(entries: Readonly<Record<string, unknown>>, mode: ReadMode): void {
    const names = namesOf(this.#spec.keys);
    const seen = new Map<string, string>();
    for (const [name, value] of Object.entries(entries)) {
      const path = [...this.#path, name];
      const spot: Spot = { path, part: "key" };
      const key = names.get(name);
      if (key === undefined) {
        this.#readForeign(name, value, { spot, mode });
      } else if (mode.forPort && this.#spec.keys[key]!.ofProcess) {
        this.#findings.warn(
          `"${name}" cannot be set for one port, ignored`,
          spot,
        );
      } else if (seen.has(key)) {
        this.#findings.refuse(
          `"${name}" is given twice, first as "${seen.get(key)}"`,
          spot,
        );
      } else {
        seen.set(key, name);
        this.#take(key, value, { name: `"${name}"`, path });
      }
    }
    for (const key of seen.keys()) this.#takeFile(key);
  }

  /** Takes an entry of a file, with what it only names. */
  #take(key: keyof K & string, value: unknown, origin: Origin): void {
    const { shape, secret, fileOf } = this.#spec.keys[key]!;
    const file = this.#file;
    // The tables inside look after their own entries.
    const isTables = shape.inside !== undefined && typeof value === "object";
    if (file === undefined || isTables || origin.path === undefined) {
      this.set(key, value, origin);
      return;
    }
    if (secret === true && fileOf === undefined) file.noteSecret(value);
    const found = file.expand(value, origin.path);
    if (found === undefined) {
      this.isEmpty = false;
      this.refused.add(key);
      return;
    }
    const isFound = JSON.stringify(found) !== JSON.stringify(value);
    this.set(key, found, { ...origin, isFound });
  }

  /** Sets the key whose value is in the file that another key names. */
  #takeFile(key: keyof K & string): void {
    const target = this.#spec.keys[key]!.fileOf as
      | keyof K & string
      | undefined;
    if (target === undefined) return;
    const path = this.values[key];
    const at = this.at(key);
    if (typeof path !== "string" || at === undefined) {
      if (this.refused.has(key)) this.refused.add(target);
    } else if (!this.lacks(target)) {
      this.#findings.refuse(
        `"${target}" and "${key}" are both given: keep one of them`,
        { ...at, part: "key" },
      );
    } else {
      const text = this.#file?.readSecret(path, at);
      if (text === undefined) this.refused.add(target);
      else this.set(target, text, { name: `"${key}"`, path: at.path });
    }
  }

  /** A key that does nothing here. */
  #readForeign(
    name: string,
    value: unknown,
    { spot, mode }: { spot: Spot; mode: ReadMode },
  ): void {
    if (REMARKS.has(name)) return;
    this.isEmpty = false;
    const { ignored, unsafe, later, keys } = this.#spec;
    const where = this.#spec.name === "" ? "" : ` in ${this.#spec.name}`;
    const isHarmless = unsafe.get(name);
    if (later?.has(name)) {
      if (value === null) return;
      this.#findings.refuse(
        `key "${name}"${where} is not supported yet, and ignoring it would ` +
          "not be safe: remove it",
        spot,
      );
    } else if (isHarmless !== undefined) {
      if (value === null || isHarmless(value)) return;
      this.#findings.refuse(
        `key "${name}"${where} is not available in this version, and ` +
          "ignoring it would not be safe: remove it, or what needs it",
        spot,
      );
    } else if (ignored.has(name)) {
      if (value === null || value === "") return;
      this.#findings.warn(
        `key "${name}"${where} is not supported, ignored`,
        spot,
      );
    } else {
      const names = namesOf(keys);
      const written = name.toLowerCase();
      const synonym = SYNONYMS.get(written);
      const guess = synonym !== undefined && names.has(synonym)
        ? synonym
        : nearest(written, names.keys());
      const meant = guess === undefined ? undefined : names.get(guess);
      // Nobody need be told that the key which was meant is missing.
      if (meant !== undefined && mode.strict) this.refused.add(meant);
      const hint = guess === undefined ? "" : `: did you mean "${guess}"?`;
      const text = `Unknown key ${describe(name)}${where}${hint}`;
      if (mode.strict) this.#findings.refuse(text, spot);
      else this.#findings.warn(`${text}; ignored`, spot);
    }
  }

  #report(key: Key<unknown>, value: unknown, origin: Origin): Report {
    const findings = this.#findings;
    const { path } = origin;
    const isSecret = key.secret === true || origin.isFound === true;
    const part = key.secret ? "key" : "value";
    const spot = (inner: Path): Spot | undefined =>
      path && { path: [...path, ...inner], part };
    return {
      expected: (expected, inner): undefined => {
        const wrong = inner === undefined ? value : inner.value;
        // A text in place of a table may be a whole user or link.
        const isHidden = isSecret ||
          (key.shape.inside !== undefined && typeof wrong === "string");
        const isOpen = inner?.isOpen === true && origin.isFound !== true;
        const found = isOpen && typeof wrong === "string"
          ? quoted(wrong)
          : isHidden
          ? describeSecret(wrong)
          : describe(wrong);
        const index = inner?.path[0];
        const inside = typeof index === "number" ? `[${index}]` : "";
        findings.refuse(
          `${origin.name}${inside} is ${found}: expected ${expected}`,
          spot(inner?.path ?? []),
          origin.style,
        );
      },
      refused: (text, style): undefined => {
        const shown = origin.isFound === true
          ? `${origin.name} has a value of the environment that is not good here`
          : text;
        findings.refuse(shown, spot([]), style);
      },
      warn: (text): void => findings.warn(text),
      table: (spec, entries, inner) => {
        const table = new Table(spec, findings, {
          path: [...path ?? [], ...inner],
          file: this.#file,
        });
        table.read(entries, { strict: true, forPort: false });
        return table;
      },
    };
  }
}

/**
 * The names of keys, aliases included.
 *
 * @param keys The keys.
 * @returns Name → key.
 */
export function namesOf<K extends Keys>(
  keys: K,
): ReadonlyMap<string, keyof K & string> {
  const names = new Map<string, keyof K & string>();
  for (const [key, { aliases = [] }] of Object.entries(keys)) {
    for (const name of [key, ...aliases]) names.set(name, key);
  }
  return names;
}

function describe(value: unknown): string {
  if (typeof value === "string") return shown(value);
  if (typeof value === "number" || typeof value === "boolean") {
    return String(value);
  }
  if (value === null) return "null";
  if (value instanceof Date) return "a date";
  return Array.isArray(value) ? "a list" : "a table of values";
}

/** The kind and size of a value, for those that are secret. */
function describeSecret(value: unknown): string {
  if (typeof value === "string") return describeLength(value);
  if (typeof value === "number") return "a number";
  return typeof value === "boolean" ? "true or false" : describe(value);
}
