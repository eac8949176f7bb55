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
  randomOf,
  request,
  seededBytes,
  text,
  withTimeout,
} from "../support/mod.ts";
import { mutate } from "../support/mutate.ts";
import { connectAll, Prober } from "./_prober.ts";
import { Services, servicesTest } from "./_services.ts";

const GREETING = [5, 1, 0];
const GREETED = [5, 0];
const DISCARD = [1, 127, 0, 0, 1, 0, 9];
const SOCKS4_GRANT = [0, 90, 0, 0, 0, 0, 0, 0];
const SOCKS4_REFUSAL = [0, 91, 0, 0, 0, 0, 0, 0];

/** An answer of HTTP: its status, behind which the connection ends. */
interface HttpAnswer {
  readonly status: string;
}

/** What an application sends until its end, and all that it gets. */
const TALKS: readonly {
  readonly name: string;
  readonly sent: readonly number[] | string;
  readonly answer: readonly number[] | HttpAnswer;
  /** A part of the one line that names the application. */
  readonly log?: string;
}[] = [
  { name: "nothing", sent: [], answer: [] },
  { name: "half a SOCKS4 request", sent: [4, 1, 0, 80, 1, 2], answer: [] },
  {
    name: "SOCKS4 without the end of its user",
    sent: [4, 1, 0, 80, 1, 2, 3, 4, 97],
    answer: [],
  },
  {
    name: "SOCKS4 with a user that is too long",
    sent: [4, 1, 0, 80, 1, 2, 3, 4, ...new Array(256).fill(97), 0],
    answer: SOCKS4_REFUSAL,
    log: "user ID",
  },
  {
    name: "SOCKS4 BIND",
    sent: [4, 2, 0, 80, 1, 2, 3, 4, 0],
    answer: SOCKS4_REFUSAL,
    log: "command 2",
  },
  {
    name: "SOCKS4a with an empty name",
    sent: [4, 1, 0, 80, 0, 0, 0, 1, 0, 0],
    answer: SOCKS4_REFUSAL,
    log: "empty host name",
  },
  {
    name: "HTTP GET of a page of the proxy",
    sent: "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    answer: { status: "400 Bad Request" },
    log: "this is an HTTP proxy",
  },
  { name: "half a CONNECT", sent: "CONNECT a:1 HTTP/1.1\r\n", answer: [] },
  {
    name: "CONNECT without a port",
    sent: "CONNECT a HTTP/1.1\r\n\r\n",
    answer: { status: "400 Bad Request" },
    log: "CONNECT",
  },
  {
    name: "HTTP of another version",
    sent: "GET http://a/ HTTP/2.0\r\nHost: a\r\n\r\n",
    answer: { status: "505 HTTP Version Not Supported" },
    log: "only HTTP/1",
  },
  {
    name: "HTTP of another scheme",
    sent: "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    answer: { status: "501 Not Implemented" },
    log: "http://",
  },
  {
    name: "SSH",
    sent: "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    answer: { status: "400 Bad Request" },
    log: "request line",
  },
  { name: "TLS", sent: [22, 3, 1, 2, 0, 1, 0, 1, 252], answer: [], log: "TLS" },
  {
    name: "zero bytes",
    sent: new Array(50).fill(0),
    answer: [],
    log: "neither SOCKS nor HTTP",
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
  "sslocal answers what is neither SOCKS nor HTTP, or not possible",
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
        assertAnswer(ending.bytes, answer, name);
        const lines = [
          ...services.logs.of("error"),
          ...services.logs.of("warning"),
        ];
        assertEquals(lines.length, log === undefined ? 0 : 1, name);
        if (log !== undefined) {
          assert(lines[0]!.includes(log), lines[0]);
          assert(lines[0]!.includes(prober.name), lines[0]);
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
    const port = [target.port >> 8, target.port & 255];
    const connect = `CONNECT 127.0.0.1:${target.port} HTTP/1.1\r\n\r\n`;
    const talks: readonly {
      readonly sent: readonly number[] | string;
      readonly answer: readonly number[] | string;
    }[] = [
      {
        sent: [...GREETING, 5, 1, 0, 1, 127, 0, 0, 1, ...port],
        answer: [...GREETED, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0],
      },
      { sent: [4, 1, ...port, 127, 0, 0, 1, 97, 0], answer: SOCKS4_GRANT },
      {
        sent: [4, 1, ...port, 0, 0, 0, 9, 97, 0, ...ascii("127.0.0.1"), 0],
        answer: SOCKS4_GRANT,
      },
      {
        sent: connect,
        answer: "HTTP/1.1 200 Connection established\r\n\r\n",
      },
    ];
    for (const { sent, answer } of talks) {
      const talk = concat(toBytes(sent), payload);
      const expected = concat(toBytes(answer), payload);
      const ways = [
        [talk],
        Array.from(talk, (byte) => Uint8Array.of(byte)),
      ];
      for (let cut = 1; cut < talk.length - payload.length + 8; cut++) {
        ways.push([talk.subarray(0, cut), talk.subarray(cut)]);
      }
      for (const pieces of ways) {
        using prober = await Prober.connect(services.localPort);
        await prober.send(...pieces);
        await prober.finish();
        const ending = await prober.ending();
        assertEquals(ending, { bytes: expected, reset: false }, `${sent}`);
      }
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
    const name = ascii("example.com");
    const talk = [...GREETING, 5, 1, 0, 3, 11, ...name, 0, 80, 1, 2, 3, 4];
    const talks = [
      talk,
      [4, 1, 0, 80, 0, 0, 0, 1, 97, 0, ...name, 0, 1, 2, 3, 4],
      "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\nhello",
      "GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n",
    ].map(toBytes);
    for (let seed = 1; seed <= 20; seed++) {
      const random = randomOf(seed);
      const probers = await connectAll(services.localPort, 12);
      await Promise.all(probers.map(async (prober, i) => {
        const bytes = mutate(talks[i % talks.length]!, random);
        await prober.send(bytes);
        await prober.finish();
        const { bytes: answer } = await prober.ending();
        assert(isKnown(answer), `[${bytes}] got [${answer}]`);
      }));
      for (const prober of probers) prober[Symbol.dispose]();
    }
    assertEquals(services.logs.with("Unexpected"), []);
    using prober = await Prober.connect(services.localPort);
    await prober.send(Uint8Array.from(talk));
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

/** Whether an application can expect such an answer of a proxy that fails. */
function isKnown(answer: Uint8Array): boolean {
  const { length } = answer;
  switch (answer[0]) {
    case undefined:
      return true;
    case 5:
      return length === 2 || (length === 12 && answer[2] === 5);
    case 0:
      return `${answer}` === `${SOCKS4_REFUSAL}`;
    default:
      return /^HTTP\/1\.1 [45]\d\d [^]*\r\n\r\n/.test(text(answer));
  }
}

function assertAnswer(
  bytes: Uint8Array,
  answer: readonly number[] | HttpAnswer,
  name: string,
): void {
  if (!("status" in answer)) {
    assertEquals(bytes, Uint8Array.from(answer), name);
    return;
  }
  const [head = "", body = ""] = text(bytes).split("\r\n\r\n");
  const [first, ...fields] = head.split("\r\n");
  assertEquals(first, `HTTP/1.1 ${answer.status}`, name);
  assert(fields.includes("Connection: close"), name);
  assert(fields.includes(`Content-Length: ${body.length}`), name);
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

function ascii(characters: string): number[] {
  return Array.from(characters, (character) => character.charCodeAt(0));
}
