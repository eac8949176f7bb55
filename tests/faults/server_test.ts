/**
 * A server under clients that do wrong: it stays silent, dials nobody, and
 * serves the others.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { CipherPeer, header, RawPeer } from "../relay/_relay_fixture.ts";
import {
  concat,
  randomOf,
  request,
  seededBytes,
  type Target,
  utf8,
  withTimeout,
} from "../support/mod.ts";
import { Collector } from "./_collector.ts";
import { mutate } from "../support/mutate.ts";
import { connectAll, Prober } from "./_prober.ts";
import { type Services, servicesTest } from "./_services.ts";

const REFUSED = "can not parse header when handling connection from";
const ALTERED = "failed to handshake with 127.0.0.1: authentication error";
const PAYLOAD = seededBytes(61, 9);
/** Salt, sealed length, sealed address and payload. */
const FLIGHT_LENGTH = 16 + 18 + (7 + 61) + 16;

servicesTest(
  "ssserver says nothing when a flight is cut anywhere and ends",
  async (services) => {
    await using target = new Collector();
    const flights = cutFlights(services, target);
    const probers = await connectAll(services.serverPort, flights.length);
    await Promise.all(probers.map(async (prober, i) => {
      await prober.send(flights[i]!);
      await prober.finish();
    }));
    await expectSilentEnds(probers);
    assertEquals(target.accepted, 0);
    assertEquals(services.logs.with(REFUSED), []);
  },
);

servicesTest(
  "ssserver waits in silence when a flight is cut anywhere",
  async (services) => {
    await using target = new Collector();
    const flights = cutFlights(services, target);
    const probers = await connectAll(services.serverPort, flights.length);
    await Promise.all(probers.map((prober, i) => prober.send(flights[i]!)));
    await request(services.localPort, { count: 5, parallel: 1 });
    assertEquals(probers.filter((prober) => prober.ended).length, 0);
    await Promise.all(probers.map((prober) => prober.finish()));
    await expectSilentEnds(probers);
    assertEquals(target.accepted, 0);
  },
);

servicesTest(
  "ssserver reads on in silence and logs once when any byte of a flight was flipped",
  async (services) => {
    await using target = new Collector();
    using client = new CipherPeer(services.suite);
    const flight = client.seal(header(place(target)), PAYLOAD);
    assertEquals(flight.length, FLIGHT_LENGTH);
    const probers = await connectAll(services.serverPort, flight.length);
    await Promise.all(probers.map((prober, at) => {
      const forged = flight.slice();
      forged[at]! ^= 1 << at % 8;
      return prober.send(forged);
    }));
    await withTimeout(
      services.logs.waitFor(REFUSED, probers.length),
      "all refusals",
    );
    // What comes later makes no difference.
    await Promise.all(
      probers.map((prober) => prober.send(seededBytes(3000, 1))),
    );
    await request(services.localPort, { count: 5, parallel: 1 });
    assertEquals(probers.filter((prober) => prober.ended).length, 0);
    await Promise.all(probers.map((prober) => prober.finish()));
    await expectSilentEnds(probers);
    assertEquals(target.accepted, 0);
    assertEquals(
      services.logs.with(REFUSED).sort(),
      probers.map(({ name }) => `${REFUSED} ${name}`).sort(),
    );
  },
);

servicesTest(
  "ssserver serves a flight once when it is replayed, at once or later",
  async (services) => {
    await using target = new Collector();
    using client = new CipherPeer(services.suite);
    const flight = client.seal(header(place(target)), PAYLOAD);
    using first = await Prober.connect(services.serverPort);
    await first.send(flight);
    await first.finish();
    assertEquals(await target.next(), PAYLOAD);
    const replays = await connectAll(services.serverPort, 8);
    await Promise.all(replays.map((prober) => prober.send(flight)));
    await withTimeout(
      services.logs.waitFor(REFUSED, replays.length),
      "all refusals",
    );
    assertEquals(replays.filter((prober) => prober.ended).length, 0);
    await Promise.all(replays.map((prober) => prober.finish()));
    await expectSilentEnds(replays);
    assertEquals(target.accepted, 1);
  },
);

servicesTest(
  "ssserver says nothing to noise of 0 to 221 bytes",
  async (services) => {
    await using target = new Collector();
    const noise = Array.from({ length: 222 }, (_, i) => seededBytes(i, i + 1));
    const probers = await connectAll(services.serverPort, noise.length);
    await Promise.all(probers.map((prober, i) => prober.send(noise[i]!)));
    // Salt and sealed length: nothing can be said of less.
    const judged = noise.filter(({ length }) => length >= 16 + 18).length;
    await withTimeout(services.logs.waitFor(REFUSED, judged), "all refusals");
    await request(services.localPort, { count: 5, parallel: 1 });
    assertEquals(probers.filter((prober) => prober.ended).length, 0);
    await Promise.all(probers.map((prober) => prober.finish()));
    await expectSilentEnds(probers);
    assertEquals(services.logs.with(REFUSED).length, judged);
    assertEquals(target.accepted, 0);
  },
);

servicesTest(
  "ssserver takes 10 MB of noise from a refused client",
  async (services) => {
    const prober = await Prober.connect(services.serverPort);
    const piece = seededBytes(1_000_000, 4);
    for (let i = 0; i < 10; i++) {
      await withTimeout(prober.send(piece), "a megabyte to be read");
    }
    assert(!prober.ended);
    await prober.finish();
    await expectSilentEnds([prober]);
    assertEquals(services.logs.with(REFUSED).length, 1);
  },
);

servicesTest(
  "ssserver serves a flight that comes byte by byte",
  async (services) => {
    await using target = new Collector();
    using client = new CipherPeer(services.suite);
    using prober = await Prober.connect(services.serverPort);
    const flight = client.seal(header(place(target)), PAYLOAD);
    await prober.send(...Array.from(flight, (byte) => Uint8Array.of(byte)));
    await prober.finish();
    assertEquals(await target.next(), PAYLOAD);
    const { bytes, reset } = await prober.ending();
    assertEquals([client.open(bytes), reset], [PAYLOAD, false]);
  },
);

servicesTest(
  "ssserver serves a flight that is cut anywhere in two",
  async (services) => {
    await using target = new Collector();
    const cuts = Array.from({ length: FLIGHT_LENGTH - 1 }, (_, i) => i + 1);
    await Promise.all(cuts.map(async (cut) => {
      using client = new CipherPeer(services.suite);
      using prober = await Prober.connect(services.serverPort);
      const flight = client.seal(header(place(target)), PAYLOAD);
      await prober.send(flight.subarray(0, cut), flight.subarray(cut));
      await prober.finish();
      const { bytes, reset } = await prober.ending();
      assertEquals(
        [client.open(bytes), reset],
        [PAYLOAD, false],
        `cut at ${cut}`,
      );
    }));
    assertEquals(target.accepted, cuts.length);
  },
);

servicesTest(
  "ssserver serves an address in chunks of one byte, with empty chunks between",
  async (services) => {
    await using target = new Collector();
    using raw = new RawPeer(services.suite);
    using prober = await Prober.connect(services.serverPort);
    const empty = new Uint8Array(0);
    const pieces = [raw.salt, raw.chunk(empty)];
    for (const byte of header(place(target))) {
      pieces.push(raw.chunk(Uint8Array.of(byte)), raw.chunk(empty));
    }
    pieces.push(raw.chunk(PAYLOAD), raw.chunk(empty));
    await prober.send(...pieces);
    await prober.finish();
    assertEquals(await target.next(), PAYLOAD);
    assert(!(await prober.ending()).reset);
  },
);

for (const length of [0x4000, 0x8001, 0xc005, 0xffff]) {
  servicesTest(
    `ssserver delivers what stands before a chunk of length ${length}, and stops`,
    async (services) => {
      await using target = new Collector();
      using raw = new RawPeer(services.suite);
      using prober = await Prober.connect(services.serverPort);
      await prober.send(
        concat(raw.salt, raw.chunk(concat(header(place(target)), utf8("ok")))),
      );
      await withTimeout(target.first(), "the first bytes at the target");
      await prober.send(raw.chunk(new Uint8Array(100), length));
      await withTimeout(services.logs.waitFor(ALTERED), "the refusal");
      assert(!prober.ended, "no sign to the client");
      assertEquals(await target.next(), utf8("ok"));
      await prober.finish();
      await prober.ending();
      await request(services.localPort, { count: 1, parallel: 1 });
    },
  );
}

servicesTest(
  "ssserver never passes a wrong byte on when flights are mutated",
  async (services) => {
    await using target = new Collector();
    const plain = seededBytes(2000, 77);
    for (let seed = 1; seed <= 20; seed++) {
      const random = randomOf(seed);
      using client = new CipherPeer(services.suite);
      const flight = concat(
        client.seal(header(place(target)), plain.subarray(0, 500)),
        client.seal(plain.subarray(500, 1200)),
        client.seal(plain.subarray(1200)),
      );
      const probers = await connectAll(services.serverPort, 8);
      await Promise.all(probers.map(async (prober) => {
        await prober.send(mutate(flight, random));
        await prober.finish();
        await prober.ending();
      }));
      for (const prober of probers) prober[Symbol.dispose]();
    }
    for (const got of await target.all()) {
      assertEquals(got, plain.slice(0, got.length));
    }
    assertEquals(services.logs.with("Unexpected"), []);
    await request(services.localPort, { count: 5, parallel: 1 });
  },
);

/** Every beginning of a valid flight, each under a salt of its own. */
function cutFlights(services: Services, target: Target): Uint8Array[] {
  return Array.from({ length: FLIGHT_LENGTH }, (_, length) => {
    using client = new CipherPeer(services.suite);
    return client.seal(header(place(target)), PAYLOAD).slice(0, length);
  });
}

/** Each ends with an end, not a reset, and nothing came back. */
async function expectSilentEnds(probers: readonly Prober[]): Promise<void> {
  const endings = await Promise.all(probers.map((prober) => prober.ending()));
  for (const prober of probers) prober[Symbol.dispose]();
  const wrong = endings.map(({ bytes, reset }, i) => ({ i, bytes, reset }))
    .filter(({ bytes, reset }) => bytes.length > 0 || reset);
  assertEquals(wrong, []);
}

function place({ hostname, port }: Target): { host: string; port: number } {
  return { host: hostname, port };
}
