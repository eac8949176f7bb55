/**
 * The JSON Schema (draft 7) of a configuration file, for editors. TOML and
 * JSON files have the same.
 *
 * @module
 */

import { TOP } from "./keys/_keys.ts";
import type { Key, Keys, Schema, TableSpec } from "./keys/_shape.ts";
import { REMARKS } from "./_table.ts";

/** What an editor shows at a key of another program. */
const FOREIGN: Schema = {
  description: "a key of another shadowsocks program, without effect here",
};

/** What an editor shows at a key that may only have a harmless value. */
const UNSAFE: Schema = {
  description: "a key of another shadowsocks program; refused unless empty",
};

/**
 * Makes the JSON Schema of a configuration file.
 *
 * @returns The schema, as plain data.
 */
export function configSchema(): Readonly<Record<string, unknown>> {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Configuration of shadowsocks",
    ...tableSchema(TOP),
  };
}

function tableSchema(spec: TableSpec<Keys>): Schema {
  const properties: Record<string, Schema> = {};
  for (const name of REMARKS) properties[name] = {};
  for (const name of spec.ignored) properties[name] = FOREIGN;
  for (const name of spec.unsafe.keys()) properties[name] = UNSAFE;
  for (const [name, key] of Object.entries(spec.keys)) {
    const schema = keySchema(key);
    properties[name] = schema;
    for (const alias of key.aliases ?? []) properties[alias] = schema;
  }
  const whole = {
    type: "object",
    properties,
    additionalProperties: false,
    ...spec.needs,
  };
  if (spec.keys.disabled === undefined) return whole;
  // What is disabled is not looked at.
  const isDisabled = {
    required: ["disabled"],
    properties: { disabled: { const: true } },
  };
  return { if: isDisabled, then: { type: "object" }, else: whole };
}

function keySchema({ shape, meaning, usual }: Key<unknown>): Schema {
  const description = usual === undefined
    ? meaning
    : `${meaning}; default: ${usual}`;
  return {
    description: description.replaceAll("`", ""),
    ...valueSchema(shape),
  };
}

/** A text with a variable in it, whatever that will hold. */
const VARIABLE: Schema = {
  type: "string",
  pattern: "\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}",
};

/** Null means "not given", for every key. */
function valueSchema({ schema, inside }: Key<unknown>["shape"]): Schema {
  if (inside === undefined) {
    return { anyOf: [schema, { type: "null" }, VARIABLE] };
  }
  const table = tableSchema(inside);
  // Without `anyOf`, so that an editor shows a mistake where it stands.
  return schema.type === "array"
    ? { type: ["array", "null"], items: table }
    : { ...table, type: ["object", "null"] };
}
