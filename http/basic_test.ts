/**
 * Tests of Basic credentials.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { basicAuthorization, parseBasic } from "./basic.ts";

/** `name:password`; undefined: there are none. */
function parse(authorization: string): string | undefined {
  const credentials = parseBasic(authorization);
  if (credentials === undefined) return undefined;
  const decoder = new TextDecoder();
  const { name, password } = credentials;
  return `${decoder.decode(name)}:${decoder.decode(password)}`;
}

Deno.test("parseBasic() reads what basicAuthorization() writes", () => {
  const users = [
    { name: "ann", password: "secret" },
    { name: "bob", password: "" },
    { name: "", password: "" },
    { name: "jürgen", password: "a:b" },
  ];
  for (const user of users) {
    const { name, password } = user;
    assertEquals(parse(basicAuthorization(user)), `${name}:${password}`);
  }
  assertEquals(basicAuthorization(users[0]!), "Basic YW5uOnNlY3JldA==");
});

Deno.test("parseBasic() takes nothing else", () => {
  const cases = [
    "",
    "Basic",
    "Basic ",
    "Bearer YW5uOnNlY3JldA==",
    "YW5uOnNlY3JldA==",
    "Basic YW5uOnNlY3JldA== x",
    "Basic YW5uOnNlY3JldA=",
    "Basic ====",
    "Basic \xff",
    `Basic ${btoa("ann")}`,
  ];
  for (const text of cases) assertEquals(parse(text), undefined, text);
});

Deno.test("parseBasic() takes the scheme in any case and without padding", () => {
  assertEquals(parse("bAsIc   YW5uOnNlY3JldA=="), "ann:secret");
  assertEquals(parse("Basic YW5uOnNlY3JldA"), "ann:secret");
});
