/**
 * Connections that are ended from outside: by a time-out, or with the relay.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { serverFlow } from "./_flow_fixture.ts";
import { RelayFixture } from "./_relay_fixture.ts";
import { text, utf8 } from "../support/bytes.ts";

/** What ends a connection from outside. */
const ENDINGS: readonly {
  readonly name: string;
  readonly end: (fixture: RelayFixture) => Promise<void> | void;
}[] = [
  { name: "it times out", end: (fixture) => fixture.advance(400) },
  { name: "the relay ends", end: ({ relay }) => relay.destroy() },
];
for (const { name, end } of ENDINGS) {
  Deno.test(`TCPRelayHandler resets both sides when ${name} while a direction is open`, async () => {
    for (const stage of ["both", "down", "connecting"]) {
      using fixture = new RelayFixture();
      const established = stage !== "connecting";
      const { local, remote } = await serverFlow(fixture, { established });
      if (stage === "down") {
        local.end();
        await fixture.settle();
      }
      await end(fixture);
      assertEquals([local.wasReset, local.closed], [true, true], stage);
      if (established) assertEquals(remote.wasReset, stage !== "down", stage);
    }
  });

  Deno.test(`TCPRelayHandler closes when ${name} and there was no request`, async () => {
    using fixture = new RelayFixture();
    const local = await fixture.accept();
    await end(fixture);
    assertEquals([local.closed, local.wasReset], [true, false]);
  });

  Deno.test(`TCPRelayHandler makes the end an unclean one when ${name} and the poller cannot reset`, async () => {
    using fixture = new RelayFixture();
    fixture.poller.resets = false;
    const { local, remote, client } = await serverFlow(fixture);
    remote.bring(utf8("answer"));
    await fixture.settle();
    client.open(local.sent);
    assert(client.atBoundary);
    await end(fixture);
    assertEquals(text(client.open(local.sent)), "answer");
    assert(!client.atBoundary);
    assertEquals(remote.sends.length, 0, "nothing that the target would take");
  });
}
