/**
 * Configuration files for processes under test.
 *
 * @module
 */

/** A value of a configuration; tables and lists of them at any depth. */
export type ConfigValue =
  | string
  | number
  | boolean
  | readonly ConfigValue[]
  | { readonly [key: string]: ConfigValue };

/** A configuration as a test writes it. */
export type ConfigValues = Readonly<Record<string, ConfigValue>>;

/** The two languages of configuration files. */
export type ConfigFormat = "toml" | "json";

/**
 * Writes a configuration in one of the two languages.
 *
 * @param values The keys and their values.
 * @param format The language.
 * @returns The text of the file.
 */
export function formatConfig(
  values: ConfigValues,
  format: ConfigFormat,
): string {
  if (format === "json") return JSON.stringify(values, undefined, 2);
  return Object.entries(values)
    .map(([key, value]) => `${key} = ${formatToml(value)}\n`)
    .join("");
}

function formatToml(value: ConfigValue): string {
  if (typeof value !== "object") return JSON.stringify(value);
  if (isList(value)) return `[${value.map(formatToml).join(", ")}]`;
  const entries = Object.entries(value).map(([key, each]) =>
    `${JSON.stringify(key)} = ${formatToml(each)}`
  );
  return `{ ${entries.join(", ")} }`;
}

function isList(
  value: Exclude<ConfigValue, string | number | boolean>,
): value is readonly ConfigValue[] {
  return Array.isArray(value);
}
