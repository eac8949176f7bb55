/**
 * Tests of one loop from its start to its end.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { findMethod, openProviders } from "../crypto/mod.ts";
import { makePoller } from "../loop/mod.ts";
import { testConfig } from "./_config_fixture.ts";
import { RelayLoop } from "./relay_loop.ts";

// Libraries stay loaded: now, so that no test is said to leak them.
(await makePoller())[Symbol.dispose]();
await (await openProviders()).forMethod(findMethod("aes-256-gcm")!);

Deno.test("RelayLoop.start() listens nowhere when its end comes first", async () => {
  using relay = await RelayLoop.open(testConfig("sslocal"), {
    announce: false,
  });
  const started = relay.start();
  relay.terminate();
  await started;
  await relay.serve();
  assertEquals(relay.listening, []);
});
