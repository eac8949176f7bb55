/**
 * Tests of the resolver over the real pollers and a server on loopback.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { EventLoop, makePoller } from "../loop/mod.ts";
import { serveDatagrams } from "../tests/support/mod.ts";
import { fromZone, respond, type Zone } from "./_fake_dns.ts";
import { textOf } from "./_resolver_fixture.ts";
import { DNSResolver } from "./resolver.ts";

const ZONE: Zone = {
  "a.example": ["192.0.2.1"],
  "six.example": ["2001:db8::6"],
  "big.example": Array.from({ length: 60 }, (_, i) => `192.0.2.${i}`),
};

/** A name server on loopback, UDP and TCP; UDP cuts off what is too long. */
class Server implements AsyncDisposable {
  readonly port: number;
  readonly #udp: Deno.DatagramConn;
  readonly #tcp: Deno.Listener;
  readonly #done: Promise<unknown>;

  constructor(udp: Deno.DatagramConn, tcp: Deno.Listener) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.port = (udp.addr as Deno.NetAddr).port;
    this.#done = Promise.all([
      serveDatagrams(udp, answerShortly),
      this.#serveTcp(),
    ]);
  }

  static open(): Server {
    for (let tries = 0;; tries++) {
      const hostname = "127.0.0.1";
      const tcp = Deno.listen({ hostname, port: 0 });
      const { port } = tcp.addr as Deno.NetAddr;
      try {
        const udp = Deno.listenDatagram({ transport: "udp", hostname, port });
        return new Server(udp, tcp);
      } catch (error) {
        tcp.close();
        if (tries === 9) throw error;
      }
    }
  }

  async #serveTcp(): Promise<void> {
    for await (const connection of this.#tcp) {
      using _ = connection;
      const query = new Uint8Array(512);
      let length = 0;
      while (length < 2 || length < 2 + query[0]! * 256 + query[1]!) {
        const got = await connection.read(query.subarray(length));
        if (got === null) break;
        length += got;
      }
      const answer = fromZone(query.slice(2, length), ZONE);
      const head = [answer.length >> 8, answer.length & 255];
      await connection.write(Uint8Array.from(head));
      await connection.write(answer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#udp.close();
    this.#tcp.close();
    await this.#done;
  }
}

/** The answer of a server over UDP. */
function answerShortly(query: Uint8Array<ArrayBuffer>): Uint8Array {
  const whole = fromZone(query, ZONE);
  return whole.length > 512 ? respond(query, { truncated: true }) : whole;
}

/**
 * The pollers of this system. Opening each once here loads its library, which
 * stays, before the first test counts what is open.
 */
const POLLERS: ("deno" | "epoll")[] = [];
for (const name of ["deno", "epoll"] as const) {
  try {
    (await makePoller(name))[Symbol.dispose]();
    POLLERS.push(name);
  } catch {
    // This system does not have it.
  }
}

for (const name of POLLERS) {
  Deno.test(`DNSResolver.resolve() asks a server on loopback over the ${name} poller`, async () => {
    await using server = Server.open();
    using poller = await makePoller(name);
    const loop = new EventLoop(poller);
    using resolver = new DNSResolver(loop, {
      servers: [{ host: "127.0.0.1", port: server.port }],
      readFile: () => undefined,
    });
    const names = ["a.example", "six.example", "nobody.example", "big.example"];
    const got = new Map<string, string>();
    for (const hostname of names) {
      resolver.resolve(hostname, (answer) => {
        got.set(hostname, textOf(answer));
        if (got.size === names.length) loop.stop();
      });
    }
    await loop.run();
    assertEquals(got.get("a.example"), "192.0.2.1");
    assertEquals(got.get("six.example"), "2001:db8::6");
    assertEquals(got.get("nobody.example"), "not-found");
    assertEquals(got.get("big.example")?.split(" ").length, 60);
    resolver.close();
    assertEquals(loop.size, 0);
  });

  Deno.test(`DNSResolver.resolve() answers many names over the ${name} poller`, async () => {
    await using server = Server.open();
    using poller = await makePoller(name);
    const loop = new EventLoop(poller);
    using resolver = new DNSResolver(loop, {
      servers: [{ host: "127.0.0.1", port: server.port }],
      readFile: () => undefined,
    });
    let answered = 0;
    const ask = (i: number): void =>
      resolver.resolve(`n${i}.example`, (answer) => {
        assert(answer.error?.code === "not-found");
        if (++answered === 500) loop.stop();
        else if (i + 50 < 500) ask(i + 50);
      });
    for (let i = 0; i < 50; i++) ask(i);
    await loop.run();
    assertEquals(answered, 500);
  });
}
