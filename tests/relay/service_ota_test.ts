/**
 * One-time authentication between a server and a local on real sockets: who
 * must speak it, with which methods, and what is refused.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { servicesTest } from "../faults/_services.ts";
import {
  echoDatagrams,
  echoPieces,
  echoTarget,
  halfCloseByClient,
  serverFirst,
  socks5Connect,
  socks5UdpAssociate,
  UdpEcho,
  utf8,
  withTimeout,
  writeAll,
} from "../support/mod.ts";

const REQUIRED = "client one time auth is required";
const REFUSED = "can not parse header when handling connection from";

for (const method of ["aes-256-gcm", "aes-256-cfb", "rc4-md5"]) {
  for (const server of [true, false]) {
    const does = server ? "requires" : "accepts";
    servicesTest(
      `Service relays with ${method} and one-time authentication that the server ${does}`,
      async (services) => {
        const { localPort } = services;
        await echoPieces(localPort, [1, 5, 16_371, 16_372, 200_000]);
        await halfCloseByClient(localPort);
        await serverFirst(localPort);
        await echoDatagrams(localPort, [1, 100, 1200, 8192]);
      },
      {
        both: { method },
        server: { oneTimeAuth: server },
        local: { oneTimeAuth: true },
      },
    );
  }
}

servicesTest(
  "Service refuses a client without one-time authentication that it requires",
  async (services) => {
    await using target = echoTarget();
    using conn = await socks5Connect(services.localPort, target);
    await writeAll(conn, utf8("hello"));
    await withTimeout(services.logs.waitFor(REFUSED), "the refusal");
    assertEquals(services.logs.with(REQUIRED).length, 1);
    assertEquals(target.accepted, 0);
    await using echo = new UdpEcho();
    using association = await socks5UdpAssociate(services.localPort);
    await association.send(echo, utf8("x"));
    await withTimeout(services.logs.waitFor(REQUIRED, 2), "the second");
    assertEquals(echo.received, 0);
  },
  { server: { oneTimeAuth: true } },
);
