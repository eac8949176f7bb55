/**
 * When a listener lets go of what it owns.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { TunnelInbound, TunnelPackets } from "../inbound/local.ts";
import { FakeNet } from "../loop/fakes.ts";
import { SocketAddress, SocketError } from "../loop/mod.ts";
import { DirectOutbound, makeRouter } from "../outbound/basic.ts";
import { RelayBuffers, Sessions, Target } from "../relay/mod.ts";
import { FakeResolver } from "../dns/fakes.ts";
import { Listener } from "./listener.ts";

const TARGET = Target.of("192.0.2.7", 53);

/** A listener of a tunnel on a fake network. */
class ListenerFixture {
  readonly net = new FakeNet();
  /** What was disposed of, in order. */
  readonly disposed: string[] = [];

  listen(mode: "tcp_only" | "tcp_and_udp" | "udp_only"): Listener {
    const { disposed } = this;
    const resolver = new FakeResolver();
    const direct = new DirectOutbound();
    const packets = new TunnelPackets(TARGET);
    packets[Symbol.dispose] = () => void disposed.push("packets");
    const listener = new Listener({
      address: SocketAddress.parse("127.0.0.1", 0),
      protocol: "tunnel",
      mode,
      inbound: new TunnelInbound(TARGET),
      packets,
      udpNeedsTcp: false,
      router: makeRouter({
        role: "client",
        routes: { default: direct, direct },
        resolver,
      }),
      timeout: 300,
      udpTimeout: 300,
      maxAssociations: 512,
      fastOpen: false,
      resource: {
        [Symbol.dispose]: () => void disposed.push("resource"),
      },
    }, {
      loop: this.net.loop,
      resolver,
      buffers: new RelayBuffers(),
      sessions: new Sessions(),
      reusePort: false,
    });
    listener.begin();
    return listener;
  }
}

for (const mode of ["tcp_only", "tcp_and_udp", "udp_only"] as const) {
  Deno.test(`Listener.close() lets go of packets and resource once with mode ${mode}`, () => {
    const fixture = new ListenerFixture();
    const listener = fixture.listen(mode);
    let ends = 0;
    assertEquals(fixture.disposed, []);
    listener.close(() => ends++);
    assertEquals([ends, fixture.disposed], [1, ["packets", "resource"]]);
    listener.destroy();
    assertEquals([ends, fixture.disposed], [1, ["packets", "resource"]]);
  });
}

Deno.test("Listener.close() keeps packets and resource while a connection is open", async () => {
  const fixture = new ListenerFixture();
  const { net, disposed } = fixture;
  const listener = fixture.listen("tcp_and_udp");
  const client = net.poller.listeners[0]!.arrive();
  await net.settle();
  listener.close(() => disposed.push("end"));
  assertEquals(disposed, []);
  client.fail("ECONNRESET");
  await net.settle();
  assertEquals(disposed, ["packets", "resource", "end"]);
});

Deno.test("Listener lets go of packets and resource when it cannot listen", () => {
  const fixture = new ListenerFixture();
  fixture.net.poller.listenErrors.push("EACCES");
  assertThrows(() => fixture.listen("tcp_and_udp"), SocketError);
  assertEquals(fixture.disposed, ["packets", "resource"]);
});
