/**
 * The contract of listening sockets, over every poller.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { contractTest, LOOPBACK, LOOPBACK6 } from "../tests/_loop_fixture.ts";
import {
  POLL_IN,
  POLL_OUT,
  SocketAddress,
  SocketError,
  type StreamSocket,
} from "./mod.ts";

contractTest("Poller.listenTcp() chooses a port when it is 0", (fixture) => {
  for (const address of [LOOPBACK, LOOPBACK6]) {
    using listener = fixture.poller.listenTcp(address);
    assertEquals(listener.kind, "listener");
    assertEquals(listener.localAddress.host, address.host);
    assert(listener.localAddress.port > 0);
    assertEquals(listener.accept(), undefined);
    assertEquals(listener.error, "");
  }
  return Promise.resolve();
});

contractTest(
  "Poller.listenTcp() throws SocketError when it cannot bind",
  (fixture) => {
    using listener = fixture.poller.listenTcp(LOOPBACK);
    for (
      const [code, address] of [
        ["EADDRINUSE", listener.localAddress],
        ["EADDRNOTAVAIL", SocketAddress.parse("192.0.2.1", 0)],
      ] as const
    ) {
      const error = assertThrows(
        () => fixture.poller.listenTcp(address),
        SocketError,
      ) as SocketError;
      assertEquals(error.code, code);
      assert(error.message.includes(String(address)), error.message);
      assert(error.message.startsWith("Cannot "), error.message);
    }
    return Promise.resolve();
  },
);

contractTest(
  "Poller.listenTcp() shares a port when reusePort is set on Linux",
  (fixture) => {
    if (Deno.build.os !== "linux") return Promise.resolve();
    const options = { reusePort: true };
    using first = fixture.poller.listenTcp(LOOPBACK, options);
    using second = fixture.poller.listenTcp(first.localAddress, options);
    assertEquals(second.localAddress.port, first.localAddress.port);
    return Promise.resolve();
  },
);

contractTest(
  "ListenerSocket.accept() gives every connection that waits",
  async (fixture) => {
    using listener = fixture.poller.listenTcp(LOOPBACK);
    const clients = new Set<number>();
    const ports = new Set<number>();
    const accepted: StreamSocket[] = [];
    for (let i = 0; i < 50; i++) {
      const client = fixture.poller.connectTcp(listener.localAddress);
      fixture.on(client, POLL_OUT, () => {
        clients.add(client.localAddress.port);
        fixture.loop.remove(client);
      });
    }
    fixture.on(listener, POLL_IN, () => {
      let server: StreamSocket | undefined;
      while ((server = listener.accept()) !== undefined) {
        accepted.push(server);
        ports.add(server.remoteAddress.port);
      }
      assertEquals(listener.error, "");
    });
    await fixture.until(
      () => clients.size === 50 && ports.size === 50,
      "fifty connections",
    );
    assertEquals([...ports].sort(), [...clients].sort());
    assertEquals(accepted.length, 50);
  },
);

contractTest(
  "ListenerSocket.close() drops the connections that wait",
  async (fixture) => {
    const listener = fixture.poller.listenTcp(LOOPBACK);
    const results: number[] = [];
    let connected = 0;
    for (let i = 0; i < 5; i++) {
      const client = fixture.poller.connectTcp(listener.localAddress);
      let waits = true;
      fixture.on(client, POLL_OUT, () => {
        if (waits) {
          waits = false;
          fixture.loop.modify(client, POLL_IN);
          if (++connected === 5) listener.close();
          return;
        }
        results.push(client.recv(new Uint8Array(1)));
        fixture.loop.remove(client);
      });
    }
    await fixture.until(() => results.length === 5, "five ends");
    // An end or a reset, as the system likes, but nothing to read.
    assert(results.every((result) => result <= 0), String(results));
    listener.close();
    assertEquals(listener.accept(), undefined);
    assertEquals(listener.error, "EBADF");
  },
);

contractTest(
  "Poller.listenTcp() and bindUdp() leave IPv4 to others when ipv6Only is set",
  ({ poller }) => {
    if (!poller.splitsFamilies) return Promise.resolve();
    const everyV4 = new Uint8Array(4);
    const everyV6 = new Uint8Array(16);
    for (const [first, second] of [[everyV4, everyV6], [everyV6, everyV4]]) {
      const options = { ipv6Only: true };
      const at = new SocketAddress(first!, 0);
      using tcp = poller.listenTcp(at, options);
      using udp = poller.bindUdp(at, options);
      using _tcp = poller.listenTcp(
        new SocketAddress(second!, tcp.localAddress.port),
        options,
      );
      using _udp = poller.bindUdp(
        new SocketAddress(second!, udp.localAddress.port),
        options,
      );
    }
    return Promise.resolve();
  },
);
