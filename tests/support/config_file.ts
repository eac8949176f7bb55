/**
 * Configuration files for processes under test.
 *
 * @module
 */

/** A configuration as a test writes it. */
export type ConfigValues = Readonly<
  Record<
    string,
    | string
    | number
    | boolean
    | readonly (string | number)[]
    | Readonly<Record<string, string>>
  >
>;

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

function formatToml(value: ConfigValues[string]): string {
  if (typeof value !== "object" || Array.isArray(value)) {
    return JSON.stringify(value);
  }
  const entries = Object.entries(value).map((entry) =>
    entry.map((text) => JSON.stringify(text)).join(" = ")
  );
  return `{ ${entries.join(", ")} }`;
}
