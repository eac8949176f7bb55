/**
 * Tests of the JSON Schema: what the reader takes the schema takes too, and
 * what has a wrong form or an unknown key neither does.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type Schema, Validator } from "@cfworker/json-schema";
import { GOOD_FILES } from "./_good_files_fixture.ts";
import { readDocument } from "./formats/_document.ts";
import { configSchema } from "./schema.ts";

const VALIDATOR = new Validator(configSchema() as Schema, "7");

for (const { name, path, text } of GOOD_FILES) {
  Deno.test(`configSchema() takes ${name}`, async () => {
    const { values } = await readDocument(text, path);
    const { valid, errors } = VALIDATOR.validate(values);
    assert(valid, JSON.stringify(errors));
  });
}

const BAD: readonly unknown[] = [
  { sever: "x" },
  { server_port: 65536 },
  { server_port: "x" },
  { timeout: 0 },
  { udp_timeout: 0.9 },
  { mode: "both" },
  { servers: [{ tcp_weight: 2 }] },
  { servers: [{ sever: "x" }] },
  { servers: {} },
  { locals: [{ protocol: "redir" }] },
  { locals: [{ users: [{ name: "" }] }] },
  { groups: [{ strategy: "fastest" }] },
  { groups: [{ probe_url: "https://example.com/" }] },
  { access_log: { format: "xml" } },
  { port_password: { x: "y" } },
  { outbound_proxy: "https://h:1" },
  { method: "aes-256-gcn" },
  { locals: [{ users: [{ name: "a" }] }] },
  { locals: [{ protocol: "tunnel", forward_port: 53 }] },
  { users: [{ name: "a" }] },
  { users: [{ password: "a" }] },
  { users: [{ name: "a", password: "b", quota: 1 }] },
  { servers: [{ users: [{ name: "a", password: "b", port: 0 }] }] },
  { reject: "close" },
];

for (const value of BAD) {
  Deno.test(`configSchema() refuses ${JSON.stringify(value)}`, () => {
    assertEquals(VALIDATOR.validate(value).valid, false);
  });
}

Deno.test("configSchema() takes capitals in a method, and null for tables", () => {
  const value = { method: "AES-256-GCM", locals: null, access_log: null };
  assert(VALIDATOR.validate(value).valid);
});

Deno.test("configSchema() takes variables and files of passwords", () => {
  const value = {
    method: "${METHOD}",
    server_port: "${PORT}",
    users: [{ name: "a", password_file: "a.txt" }],
  };
  const { valid, errors } = VALIDATOR.validate(value);
  assert(valid, JSON.stringify(errors));
});

Deno.test("configSchema() shows a mistake in a table where it stands", () => {
  const { errors } = VALIDATOR.validate({ locals: [{ local_port: 70000 }] });
  const places = errors.map(({ instanceLocation }) => instanceLocation);
  assert(places.includes("#/locals/0/local_port"), JSON.stringify(places));
});

Deno.test("configSchema() is plain data that describes every key", () => {
  const schema = configSchema();
  assertEquals(JSON.parse(JSON.stringify(schema)), schema);
  const properties = schema.properties as Record<string, unknown>;
  const { mode } = properties as { mode: { description: string } };
  assertEquals(
    mode.description,
    "tcp_only, udp_only or tcp_and_udp; default: tcp_and_udp",
  );
});
