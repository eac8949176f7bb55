/**
 * Tests of Basic credentials.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { basicAuthorization, BasicUsers } from "./basic.ts";

const USERS = [
  { name: "ann", password: "secret" },
  { name: "bob", password: "" },
  { name: "jürgen", password: "a:b" },
];

Deno.test("BasicUsers.find() finds each user by what basicAuthorization() writes", () => {
  const users = new BasicUsers(USERS);
  for (const user of USERS) {
    assertEquals(users.find(basicAuthorization(user)), user.name);
  }
  assertEquals(basicAuthorization(USERS[0]!), "Basic YW5uOnNlY3JldA==");
});

Deno.test("BasicUsers.find() finds nobody by anything else", () => {
  const users = new BasicUsers(USERS);
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
    `Basic ${btoa("ann:secre")}`,
    `Basic ${btoa("ann:secrets")}`,
    `Basic ${btoa("ann:secretann:secret")}`,
    `Basic ${btoa("ann:Secret")}`,
    `Basic ${btoa("Ann:secret")}`,
    `Basic ${btoa("ann")}`,
    `Basic ${btoa("ann:")}`,
    `Basic ${btoa(":")}`,
    `Basic ${btoa("bob:\0")}`,
  ];
  for (const text of cases) assertEquals(users.find(text), undefined, text);
});

Deno.test("BasicUsers.find() takes the scheme in any case and without padding", () => {
  const users = new BasicUsers(USERS);
  assertEquals(users.find("bAsIc   YW5uOnNlY3JldA=="), "ann");
  assertEquals(users.find("Basic YW5uOnNlY3JldA"), "ann");
});
