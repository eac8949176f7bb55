/**
 * A local under applications that do wrong: each gets the answer that its
 * protocol has for it, and the others are served.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { pollers } from "../_loop_fixture.ts";
import {
  concat,
  echoTarget,
  freePort,
  request,
  seededBytes,
  withTimeout,
} from "../support/mod.ts";
import { generator, mutate } from "./_mutate.ts";
import { connectAll, Prober } from "./_prober.ts";
import { Services, servicesTest } from "./_services.ts";

const GREETING = [5, 1, 0];
const GREETED = [5, 0];
const DISCARD = [1, 127, 0, 0, 1, 0, 9];

/** What an application sends until its end, and all that it gets. */
const TALKS: readonly {
  readonly name: string;
  readonly sent: readonly number[] | string;
  readonly answer: readonly number[];
  readonly log?: string;
}[] = [
  { name: "nothing", sent: [], answer: [] },
  {
    name: "SOCKS4",
    sent: [4, 1, 0, 80, 1, 2, 3, 4, 0],
    answer: [],
    log: "SOCKS4",
  },
  { name: "HTTP GET", sent: "GET / HTTP/1.1\r\n\r\n", answer: [], log: "HTTP" },
  {
    name: "HTTP CONNECT",
    sent: "CONNECT a:1 HTTP/1.1\r\n",
    answer: [],
    log: "HTTP",
  },
  { name: "TLS", sent: [22, 3, 1, 2, 0, 1, 0, 1, 252], answer: [], log: "TLS" },
  {
    name: "zero bytes",
    sent: new Array(50).fill(0),
    answer: [],
    log: "not SOCKS5",
  },
  { name: "half a greeting", sent: [5, 3, 0], answer: [] },
  { name: "a greeting alone", sent: GREETING, answer: GREETED },
  { name: "255 methods", sent: [5, 255, ...methods(255)], answer: GREETED },
  { name: "no method", sent: [5, 0], answer: [5, 255], log: "method" },
  { name: "a password", sent: [5, 1, 2], answer: [5, 255], log: "method" },
  {
    name: "half a request",
    sent: [...GREETING, 5, 1, 0, 1, 127],
    answer: GREETED,
  },
  {
    name: "BIND",
    sent: [...GREETING, 5, 2, 0, ...DISCARD],
    answer: [...GREETED, ...refusal(7)],
    log: "command 2",
  },
  {
    name: "an unknown command",
    sent: [...GREETING, 5, 0, 0, ...DISCARD],
    answer: [...GREETED, ...refusal(7)],
    log: "command 0",
  },
  {
    name: "an unknown address type",
    sent: [...GREETING, 5, 1, 0, 2],
    answer: [...GREETED, ...refusal(8)],
    log: "address type 2",
  },
  {
    name: "an empty name",
    sent: [...GREETING, 5, 1, 0, 3, 0],
    answer: [...GREETED, ...refusal(1)],
    log: "empty host name",
  },
  {
    name: "a name with a line feed",
    sent: [...GREETING, 5, 1, 0, 3, 3, 97, 10, 98, 0, 80],
    answer: [...GREETED, ...refusal(1)],
    log: "host name",
  },
  {
    name: "a request of another version",
    sent: [...GREETING, 4],
    answer: [...GREETED, ...refusal(1)],
    log: "version 4",
  },
];

servicesTest(
  "sslocal answers what is not SOCKS5 or not possible",
  async (services) => {
    for (const { name, sent, answer, log } of TALKS) {
      const bytes = toBytes(sent);
      const ways = [[bytes], Array.from(bytes, (byte) => Uint8Array.of(byte))];
      for (const pieces of ways) {
        services.logs.clear();
        using prober = await Prober.connect(services.localPort);
        await prober.send(...pieces);
        await prober.finish();
        const ending = await prober.ending();
        assertEquals(ending.bytes, Uint8Array.from(answer), name);
        const lines = services.logs.of("error");
        assertEquals(lines.length, log === undefined ? 0 : 1, name);
        if (log !== undefined) {
          assert(lines[0]!.includes(log) && lines[0]!.includes(prober.name));
        }
      }
    }
    await request(services.localPort, { count: 2, parallel: 1 });
  },
);

servicesTest(
  "sslocal serves an application that does not wait for answers",
  async (services) => {
    await using target = echoTarget();
    const payload = seededBytes(100, 5);
    const talk = concat([
      Uint8Array.from(GREETING),
      Uint8Array.of(
        5,
        1,
        0,
        1,
        127,
        0,
        0,
        1,
        target.port >> 8,
        target.port & 255,
      ),
      payload,
    ]);
    const answer = concat([
      Uint8Array.from(GREETED),
      Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0),
      payload,
    ]);
    const bytes = Array.from(talk, (byte) => Uint8Array.of(byte));
    const ways = [[talk], bytes];
    for (let cut = 1; cut < 20; cut++) {
      ways.push([talk.subarray(0, cut), talk.subarray(cut)]);
    }
    for (const pieces of ways) {
      using prober = await Prober.connect(services.localPort);
      await prober.send(...pieces);
      await prober.finish();
      const ending = await prober.ending();
      assertEquals(ending, { bytes: answer, reset: false });
    }
  },
);

for (const poller of pollers()) {
  Deno.test(`sslocal replies and closes when the server is down (${poller})`, async () => {
    await using services = await Services.start({
      poller,
      local: { serverPort: [freePort()] },
    });
    for (const payload of [[], [1, 2, 3]]) {
      using prober = await Prober.connect(services.localPort);
      await prober.send(
        Uint8Array.from([...GREETING, 5, 1, 0, ...DISCARD, ...payload]),
      );
      const { bytes } = await prober.ending();
      assertEquals(bytes, Uint8Array.from([...GREETED, ...refusal(5)]));
    }
  });

  Deno.test(`sslocal answers nothing strange when talks are mutated (${poller})`, async () => {
    // Nobody is there, so that no mutated address is ever dialled.
    await using services = await Services.start({
      poller,
      local: { serverPort: [freePort()] },
    });
    const talk = Uint8Array.from([
      ...[...GREETING, 5, 1, 0, 3, 11],
      ...new TextEncoder().encode("example.com"),
      ...[0, 80, 1, 2, 3, 4],
    ]);
    for (let seed = 1; seed <= 20; seed++) {
      const random = generator(seed);
      const probers = await connectAll(services.localPort, 10);
      await Promise.all(probers.map(async (prober) => {
        const bytes = mutate(talk, random);
        await prober.send(bytes);
        await prober.finish();
        const { bytes: answer } = await prober.ending();
        const what = `[${bytes}] got [${answer}]`;
        assert(answer.length === 0 || answer[0] === 5, what);
        if (answer.length > 2) assertEquals(answer[2], 5, what);
      }));
      for (const prober of probers) prober[Symbol.dispose]();
    }
    assertEquals(services.logs.with("Unexpected"), []);
    using prober = await Prober.connect(services.localPort);
    await prober.send(talk);
    const { bytes } = await prober.ending();
    assertEquals(bytes, Uint8Array.from([...GREETED, ...refusal(5)]));
  });
}

servicesTest(
  "sslocal serves others while many applications say nothing",
  async (services) => {
    const silent = await connectAll(services.localPort, 200);
    await withTimeout(
      request(services.localPort, { count: 20, parallel: 4 }),
      "the requests of others",
    );
    assertEquals(silent.filter((prober) => prober.ended).length, 0);
    await Promise.all(silent.map((prober) => prober.finish()));
    for (const prober of silent) {
      assertEquals((await prober.ending()).bytes.length, 0);
      prober[Symbol.dispose]();
    }
  },
);

/** A reply of failure. */
function refusal(code: number): number[] {
  return [5, code, 0, 1, 0, 0, 0, 0, 0, 0];
}

/** Many methods, the last of which is "no authentication". */
function methods(count: number): number[] {
  return Array.from({ length: count }, (_, i) => count - 1 - i);
}

function toBytes(sent: readonly number[] | string): Uint8Array {
  return typeof sent === "string"
    ? new TextEncoder().encode(sent)
    : Uint8Array.from(sent);
}
