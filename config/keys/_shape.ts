/**
 * What is known of a key, of the form of its value, and of the table that it
 * stands in: from this the reader, the options of the command line, the usage
 * text, the documentation and the JSON Schema are made.
 *
 * @module
 */

import type { IssueStyle } from "../notice.ts";
import type { Path, Spot } from "../formats/_place.ts";
import type { Harmless } from "./_foreign_keys.ts";
import type { Role } from "../types.ts";

/** A JSON Schema, or a part of one. */
export type Schema = Readonly<Record<string, unknown>>;

/** Takes what is wrong with a value. */
export interface Report {
  /**
   * The value has not the form that it needs.
   *
   * @param expected The form, as in "expected a port".
   * @param part The part of the value that is wrong; default the whole.
   * @returns Undefined, for the reader to return.
   */
  expected(
    expected: string,
    part?: {
      readonly path: Path;
      readonly value: unknown;
      /** Whether it may be shown though the key is secret. */
      readonly isOpen?: boolean;
    },
  ): undefined;
  /**
   * The value is refused, in these words.
   *
   * @returns Undefined, for the reader to return.
   */
  refused(text: string, style?: IssueStyle): undefined;
  /** The value is taken, but there is something to say. */
  warn(text: string): void;
  /**
   * Reads a table inside the value.
   *
   * @param spec What the table may hold.
   * @param value The table.
   * @param path Where it is inside the value.
   * @returns The table.
   */
  table<K extends Keys>(
    spec: TableSpec<K>,
    value: Readonly<Record<string, unknown>>,
    path: Path,
  ): Section<K>;
}

/** Reads a value as given; undefined after a report. */
export type Reader<T> = (value: unknown, report: Report) => T | undefined;

/** The form of a value. */
export interface Shape<T> {
  /** Reads it. */
  readonly read: Reader<T>;
  /** Describes it. */
  readonly schema: Schema;
  /** The keys inside, where it is a table or a list of tables. */
  readonly inside?: TableSpec<Keys>;
}

/** An option of the command line that sets a key. */
export interface KeyOption {
  /** One letter is a short name; more are a long one. */
  readonly name: string;
  /** What the usage text calls the value; undefined: the option takes none. */
  readonly argument?: string;
  /** The right column of the usage text; default meaning and default. */
  readonly help?: string;
  /** What an option without a value sets; default true. */
  readonly sets?: unknown;
  /** The roles that have the option; default those of the key. */
  readonly roles?: readonly Role[];
  /** Whether the usage text leaves it out. */
  readonly hidden?: boolean;
}

/** All that is known of one key. */
export interface Key<T> {
  /** The form of its value. */
  readonly shape: Shape<T>;
  /** One sentence, without capital and full stop. */
  readonly meaning: string;
  /** What holds without it, in words. */
  readonly usual?: string;
  /** Other names of the same key. */
  readonly aliases?: readonly string[];
  /** The roles for which it means something; default all. */
  readonly roles?: readonly Role[];
  /** Whether no message may show the value. */
  readonly secret?: boolean;
  /** The key whose value is in the first line of the file that this names. */
  readonly fileOf?: string;
  /** Whether it belongs to the process, not to one port of it. */
  readonly ofProcess?: boolean;
  /** The options that set it. */
  readonly options?: readonly KeyOption[];
  /** Whether its options stand with the general ones. */
  readonly general?: boolean;
}

/** Keys by name. */
export type Keys = Readonly<Record<string, Key<unknown>>>;

/** The values of keys; a missing one was not given. */
export type Values<K extends Keys> = {
  [Name in keyof K]?: K[Name] extends Key<infer T> ? T : never;
};

/** What a table may hold. */
export interface TableSpec<K extends Keys> {
  /** What messages call it; empty for the outermost. */
  readonly name: string;
  /** The form that a message asks for; default `a table of values`. */
  readonly form?: string;
  /** What a schema asks of the table beside its keys. */
  readonly needs?: Schema;
  /** The keys that do something. */
  readonly keys: K;
  /** Keys of other programs that have no effect here. */
  readonly ignored: ReadonlySet<string>;
  /**
   * Keys of other programs without which it would be unsafe to go on, and the
   * values that are harmless.
   */
  readonly unsafe: ReadonlyMap<string, Harmless>;
  /** Keys of our own that are not supported yet. */
  readonly later?: ReadonlySet<string>;
}

/** The values of a table that was read, each with its place. */
export interface Section<K extends Keys> {
  /** What is good. */
  readonly values: Values<K>;
  /** Where the table stands. */
  readonly spot: Spot;
  /**
   * Whether a key is missing; one that was refused is not.
   *
   * @param key The key.
   */
  lacks(key: keyof K): boolean;
  /**
   * Where a key was given.
   *
   * @param key The key.
   * @param inner The way from its value to a part of it.
   * @returns The place; undefined if it was given by an option or not at all.
   */
  at(key: keyof K, inner?: Path): Spot | undefined;
  /**
   * The name that a key was given by.
   *
   * @param key The key.
   * @returns The key itself or an alias; undefined if not from a file.
   */
  nameOf(key: keyof K): string | undefined;
}

/**
 * Tells tables from other values.
 *
 * @param value The value.
 * @returns Whether it has keys.
 */
export function isTable(
  value: unknown,
): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null &&
    !Array.isArray(value) && !(value instanceof Date);
}
