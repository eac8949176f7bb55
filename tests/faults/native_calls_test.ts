/**
 * Every native call of the loop fails once, at each place where it is made for
 * a client: that client may lose its connection, and the next one is served.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { pollers } from "../_loop_fixture.ts";
import {
  concat,
  echoTarget,
  seededBytes,
  socks5UdpAssociate,
  UdpEcho,
  withTimeout,
} from "../support/mod.ts";
import { type NativeCall, NativeFaults } from "./_native_faults.ts";
import { Prober } from "./_prober.ts";
import { Services } from "./_services.ts";

const GREETING = Uint8Array.of(5, 1, 0);
const GREETED = Uint8Array.of(5, 0);
/** More calls of one name than a client causes. */
const MOST_CALLS = 50;
/** Milliseconds in which a connection that failed has ended: not by time-out. */
const END_WITHIN = 10_000;
/** Milliseconds after which a datagram is sent again. */
const AGAIN = 100;

const STREAM_CALLS: readonly NativeCall[] = [
  "socket",
  "connect",
  "accept4",
  "syscall",
  "syscall_at",
  "shutdown",
  "getsockname",
  "getpeername",
  "setsockopt",
  "getsockopt",
  "epoll_ctl",
  "epoll_wait",
  "epoll_wait_async",
  "read",
  "write",
];

const DATAGRAM_CALLS: readonly NativeCall[] = [
  "socket",
  "bind",
  "recvfrom",
  "recvmmsg",
  "sendto",
  "sendmmsg",
  "epoll_ctl",
  "epoll_wait",
  "epoll_wait_async",
];

/** Has a client send something and its end; returns what it gets. */
async function talk(port: number, target: number): Promise<Uint8Array> {
  using prober = await Prober.connect(port);
  const request = Uint8Array.of(5, 1, 0, 1, 127, 0, 0, 1, target >> 8, target);
  await prober.send(GREETING, request, seededBytes(100, 1));
  await prober.finish();
  return (await prober.ending()).bytes;
}

for (const name of pollers().includes("epoll") ? STREAM_CALLS : []) {
  Deno.test(`a connection fails and the next is served when ${name} fails`, async () => {
    const faults = new NativeFaults();
    await using target = echoTarget();
    await using services = await Services.start({
      poller: "epoll",
      wrap: (libc) => faults.wrap(libc),
      both: { timeout: 60 },
    });
    for (let i = 0; i < MOST_CALLS; i++) {
      const fired = faults.fail(name, i);
      const talking = talk(services.localPort, target.port).catch(() => {});
      const first = await Promise.race([talking, fired]);
      faults.stop();
      const bytes = await withTimeout(
        talk(services.localPort, target.port),
        `the answer after call ${i}`,
      );
      assertEquals(bytes.subarray(0, 2), GREETED);
      assertEquals(bytes.subarray(12), seededBytes(100, 1));
      await withTimeout(talking, `the end after call ${i}`, END_WITHIN);
      if (first !== "fired") break;
    }
    const { lines } = services.logs;
    assert(
      !lines.some((line) => line.includes("Unexpected")),
      lines.join("\n"),
    );
  });
}

for (const name of pollers().includes("epoll") ? DATAGRAM_CALLS : []) {
  Deno.test(`an association fails and the next is served when ${name} fails`, async () => {
    const faults = new NativeFaults();
    await using echo = new UdpEcho();
    await using services = await Services.start({
      poller: "epoll",
      wrap: (libc) => faults.wrap(libc),
      both: { mode: "tcp_and_udp" },
    });
    const data = concat(GREETING, seededBytes(40, 1));
    for (let i = 0; i < MOST_CALLS; i++) {
      let fired: Promise<string>;
      let first: unknown;
      {
        using association = await socks5UdpAssociate(services.localPort);
        fired = faults.fail(name, i);
        await association.send(echo, data);
        const received = association.receive().catch(() => {});
        first = await Promise.race([received, fired]);
        faults.stop();
      }
      using association = await socks5UdpAssociate(services.localPort);
      await association.send(echo, data);
      const again = setInterval(() => association.send(echo, data), AGAIN);
      try {
        await withTimeout(association.receive(), `an answer after call ${i}`);
      } finally {
        clearInterval(again);
      }
      if (first !== "fired") break;
    }
    const { lines } = services.logs;
    assert(
      !lines.some((line) => line.includes("Unexpected")),
      lines.join("\n"),
    );
  });
}
