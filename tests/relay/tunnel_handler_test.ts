/**
 * A connection of a tunnel.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { CipherPeer, header, RelayFixture } from "./_relay_fixture.ts";
import { FIRST_PAYLOAD_WAIT } from "../../relay/constants.ts";
import { concat, text, utf8 } from "../support/bytes.ts";

Deno.test("TunnelHandler connects at once and sends the fixed target with the first payload", async () => {
  const tunnel = { host: "example.com", port: 53 };
  using fixture = new RelayFixture({ isLocal: true, settings: { tunnel } });
  const app = await fixture.accept();
  const [remote] = fixture.poller.connects;
  assertEquals(`${remote!.remoteAddress}`, "192.0.2.1:8388");
  app.bring(utf8("query"));
  await fixture.settle();
  assertEquals(app.reads, 0, "not read before the server is connected");
  remote!.establish();
  await fixture.settle();
  const server = new CipherPeer(fixture.suite);
  assertEquals(remote!.sends.length, 1);
  assertEquals(
    server.open(remote!.sent),
    concat(header(tunnel), utf8("query")),
  );
  assertEquals(app.sends.length, 0);
  remote!.bring(server.seal(utf8("answer")));
  await fixture.settle();
  assertEquals(text(app.sent), "answer");
});

Deno.test("TunnelHandler sends the target alone when no payload comes", async () => {
  const tunnel = { host: "2001:db8::1", port: 25 };
  using fixture = new RelayFixture({ isLocal: true, settings: { tunnel } });
  await fixture.accept();
  const [remote] = fixture.poller.connects;
  remote!.establish();
  await fixture.settle();
  assertEquals(remote!.sends.length, 0);
  await fixture.advance(FIRST_PAYLOAD_WAIT / 1000);
  assertEquals(
    new CipherPeer(fixture.suite).open(remote!.sent),
    header(tunnel),
  );
});

Deno.test("TunnelHandler resets the application when the server refuses", async () => {
  using fixture = new RelayFixture({
    isLocal: true,
    settings: { tunnel: { host: "example.com", port: 53 } },
  });
  const app = await fixture.accept();
  fixture.poller.connects[0]!.fail("ECONNREFUSED");
  await fixture.settle();
  assert(app.wasReset);
  assertEquals(fixture.relay.connections, 0);
});
