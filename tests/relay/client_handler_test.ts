/**
 * TCP fast open on the client side: what is said when, and which bytes are
 * offered to each address.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  type ConnectOptions,
  POLL_IN,
  type SocketAddress,
  type Timer,
} from "../../loop/mod.ts";
import { type FakeStream } from "../../loop/fakes.ts";
import {
  CONNECTED,
  GREETING,
  GREETING_REPLY,
  request,
  TARGET,
} from "./_flow_fixture.ts";
import {
  CipherPeer,
  header,
  RelayFixture,
  type TestSettings,
} from "./_relay_fixture.ts";
import { FIRST_PAYLOAD_WAIT, STAGE_FAST_OPEN } from "../../relay/constants.ts";
import { concat, text, utf8 } from "../support/bytes.ts";

/** How much of the first data the fake system takes; undefined: it cannot. */
type Taken = number | undefined;

/** A local with fast open; `offers` holds what each connect was given. */
class FastOpenFixture extends RelayFixture {
  readonly offers: (Uint8Array | undefined)[] = [];
  taken: Taken;

  constructor(taken: Taken, settings: Partial<TestSettings> = {}) {
    super({ isLocal: true, settings: { fastOpen: true, ...settings } });
    this.taken = taken;
    const { poller } = this;
    const connectTcp = poller.connectTcp.bind(poller);
    poller.connectTcp = (
      address: SocketAddress,
      options?: ConnectOptions,
    ): FakeStream => {
      const data = options?.fastOpenData?.slice();
      this.offers.push(data);
      const stream = connectTcp(address);
      return data === undefined || this.taken === undefined
        ? stream
        : Object.assign(stream, {
          fastOpenTaken: Math.min(this.taken, data.length),
        });
    };
  }

  /** An application asks for the target. */
  async ask(payload = ""): Promise<FakeStream> {
    const app = await this.accept();
    app.bring(GREETING, concat(request(1), utf8(payload)));
    await this.settle();
    return app;
  }

  /** What the server gets: what the system took, and what was sent after. */
  upstream(remote: FakeStream & { readonly fastOpenTaken?: number }): string {
    const taken = this.offers.at(-1)!.subarray(0, remote.fastOpenTaken ?? 0);
    using peer = new CipherPeer(this.suite);
    const plain = peer.open(concat(taken, remote.sent));
    const head = header(TARGET);
    assertEquals(plain.subarray(0, head.length), head);
    return text(plain.subarray(head.length));
  }
}

for (const taken of [0, 1, 20, Infinity]) {
  Deno.test(`LocalHandler offers header and payload for the SYN and sends the rest when ${taken} bytes were taken`, async () => {
    using fixture = new FastOpenFixture(taken);
    const app = await fixture.ask();
    assertEquals(app.sent, concat(GREETING_REPLY, CONNECTED));
    assertEquals(fixture.handlerOf(app).stage, STAGE_FAST_OPEN);
    assertEquals(fixture.poller.connects.length, 0);
    app.bring(utf8("hello"));
    await fixture.settle();
    const [remote] = fixture.poller.connects;
    app.bring(utf8(" world"));
    await fixture.settle();
    assertEquals(remote!.sends.length, 0);
    assertEquals(app.reads, 3, "not read before the server is connected");
    remote!.establish();
    await fixture.settle();
    assertEquals(fixture.upstream(remote!), "hello world");
    assertEquals(app.sent, concat(GREETING_REPLY, CONNECTED), "said once");
    await fixture.advance(FIRST_PAYLOAD_WAIT / 1000);
    assertEquals(fixture.upstream(remote!), "hello world");
    using server = new CipherPeer(fixture.suite);
    remote!.bring(server.seal(utf8("answer")));
    await fixture.settle();
    assert(text(app.sent).endsWith("answer"));
    assert(fixture.relay.fastOpen);
  });
}

Deno.test("LocalHandler connects with the header alone when no payload comes", async () => {
  using fixture = new FastOpenFixture(Infinity);
  await fixture.ask();
  await fixture.advance(FIRST_PAYLOAD_WAIT / 1000 - 0.001);
  assertEquals(fixture.offers.length, 0);
  await fixture.advance(0.002);
  const [remote] = fixture.poller.connects;
  remote!.establish();
  await fixture.settle();
  assertEquals(fixture.upstream(remote!), "");
});

Deno.test("LocalHandler connects at once when payload came with the request", async () => {
  using fixture = new FastOpenFixture(0);
  await fixture.ask("at once");
  const [remote] = fixture.poller.connects;
  remote!.establish();
  await fixture.settle();
  assertEquals(fixture.upstream(remote!), "at once");
});

for (const fastOpen of [false, true]) {
  Deno.test(`LocalHandler leaves no timer behind, ${fastOpen ? "with" : "without"} fast open`, async () => {
    using fixture = new RelayFixture({ isLocal: true, settings: { fastOpen } });
    const timers: Timer[] = [];
    const addTimer = fixture.loop.addTimer.bind(fixture.loop);
    fixture.loop.addTimer = (milliseconds, callback) => {
      const timer = addTimer(milliseconds, callback);
      // The one that watches over all handshakes is the relay's.
      if (milliseconds === FIRST_PAYLOAD_WAIT) timers.push(timer);
      return timer;
    };
    const app = await fixture.accept();
    app.bring(GREETING, request(1));
    await fixture.settle();
    fixture.poller.connects[0]?.establish();
    await fixture.settle();
    assertEquals(timers.map(({ active }) => active), [true]);
    fixture.handlerOf(app).destroy("ok");
    assertEquals(timers.map(({ active }) => active), [false]);
  });
}

Deno.test("LocalHandler passes an end without payload on", async () => {
  using fixture = new FastOpenFixture(0);
  const app = await fixture.ask();
  app.end();
  await fixture.settle();
  const [remote] = fixture.poller.connects;
  remote!.establish();
  await fixture.settle();
  assertEquals(fixture.upstream(remote!), "");
  assertEquals([remote!.shutdowns, app.closed], [1, false]);
});

Deno.test("LocalHandler offers the same bytes to every address", async () => {
  using fixture = new FastOpenFixture(Infinity, {
    servers: [{ host: "ss.example", port: 8388 }],
  });
  fixture.resolver.known.set("ss.example", ["192.0.2.50", "192.0.2.51"]);
  const app = await fixture.ask("payload");
  fixture.poller.connects[0]!.fail("ECONNREFUSED");
  await fixture.settle();
  fixture.poller.connects[1]!.establish();
  await fixture.settle();
  assertEquals(fixture.offers.length, 2);
  assertEquals(fixture.offers[0], fixture.offers[1]);
  assertEquals(fixture.upstream(fixture.poller.connects[1]!), "payload");
  assert(!app.closed);
});

Deno.test("LocalHandler resets the application when no server answers after it said so", async () => {
  using fixture = new FastOpenFixture(0);
  const app = await fixture.ask("payload");
  fixture.poller.connects[0]!.fail("ECONNREFUSED");
  await fixture.settle();
  assert(app.wasReset);
  assertEquals(app.sent, concat(GREETING_REPLY, CONNECTED));
  assertEquals(fixture.relay.connections, 0);
});

Deno.test("LocalHandler connects plainly, and next time at once, when there is no fast open", async () => {
  using fixture = new FastOpenFixture(undefined);
  await fixture.ask("first");
  const [first] = fixture.poller.connects;
  first!.establish();
  await fixture.settle();
  assertEquals(fixture.upstream(first!), "first");
  assert(!fixture.relay.fastOpen);
  const app = await fixture.ask();
  assertEquals(fixture.offers.length, 2);
  assertEquals(fixture.offers[1], undefined);
  assertEquals(app.sent, GREETING_REPLY, "not before the server is connected");
  fixture.poller.connects[1]!.establish();
  await fixture.settle();
  assertEquals(app.sent, concat(GREETING_REPLY, CONNECTED));
});

Deno.test("LocalHandler does nothing more when it ends while it waits for payload", async () => {
  using fixture = new FastOpenFixture(0);
  const app = await fixture.ask();
  fixture.handlerOf(app).destroy("ok");
  await fixture.advance(FIRST_PAYLOAD_WAIT / 1000 + 1);
  assertEquals(fixture.offers.length, 0);
  assertEquals(fixture.relay.connections, 0);
});

Deno.test("LocalHandler waits for room when the application does not read its answer", async () => {
  using fixture = new FastOpenFixture(0);
  const app = await fixture.accept();
  app.bring(GREETING);
  await fixture.settle();
  app.room = 3;
  app.bring(concat(request(1), utf8("payload")));
  await fixture.settle();
  fixture.poller.connects[0]!.establish();
  await fixture.settle();
  app.room = Infinity;
  await fixture.settle();
  assertEquals(app.sent, concat(GREETING_REPLY, CONNECTED));
  assertEquals(fixture.poller.maskOf(fixture.poller.connects[0]!), POLL_IN);
});

Deno.test("TunnelHandler connects with the target and the first payload", async () => {
  using fixture = new FastOpenFixture(10, { tunnel: TARGET });
  const app = await fixture.accept();
  assertEquals(fixture.offers.length, 0);
  app.bring(utf8("query"));
  await fixture.settle();
  const [remote] = fixture.poller.connects;
  remote!.establish();
  await fixture.settle();
  assertEquals(fixture.upstream(remote!), "query");
  assertEquals(app.sends.length, 0);
});

Deno.test("ServerHandler never offers what it has for a target", async () => {
  using fixture = new RelayFixture({ settings: { fastOpen: true } });
  const { poller } = fixture;
  const connectTcp = poller.connectTcp.bind(poller);
  const given: unknown[] = [];
  poller.connectTcp = (address: SocketAddress, options?: ConnectOptions) => {
    given.push(options);
    return connectTcp(address);
  };
  using peer = new CipherPeer(fixture.suite);
  const local = await fixture.accept();
  local.bring(peer.seal(header(TARGET), utf8("payload")));
  await fixture.settle();
  assertEquals(given, [undefined]);
});
