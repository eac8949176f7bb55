/**
 * Whoever does not authenticate to a server on real sockets: one reaction,
 * whatever is sent, and to the moment; or a web server's answer.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  encodeAll,
  NEW_KEY,
  NEW_METHOD,
  STREAM_METHOD,
  testEdition,
} from "../../shadowsocks/fakes.ts";
import { pollers } from "../_loop_fixture.ts";
import { concat, HttpOrigin, seededBytes, text, utf8 } from "../support/mod.ts";
import { Collector } from "./_collector.ts";
import { Prober } from "./_prober.ts";
import {
  METHOD,
  PASSWORD,
  Services,
  type ServicesOptions,
} from "./_services.ts";

/** Seconds from accept to the deadline in these tests: the idle time-out. */
const DEADLINE = 2;
/** Milliseconds by which the ends of two probes may differ. */
const SPREAD = 50;
/** A busy machine may spoil a measurement; then it is made again. */
const ATTEMPTS = 5;
const LENGTHS = [1, 16, 49, 50, 51, 59, 60, 221, 1000, 100_000, 10_000_000];

interface Kind {
  readonly method: string;
  readonly reject: "reset" | "drain" | "silent";
}

/** How one probe was answered. */
interface Seen {
  readonly length: number;
  readonly reset: boolean;
  readonly bytes: number;
  /** Milliseconds from connect to the end. */
  readonly time: number;
}

const KINDS: readonly Kind[] = [
  { method: METHOD, reject: "silent" },
  { method: STREAM_METHOD, reject: "silent" },
  { method: NEW_METHOD, reject: "silent" },
  { method: NEW_METHOD, reject: "drain" },
  { method: NEW_METHOD, reject: "reset" },
];

/** Both sides with one method. */
function optionsOf(
  { method, reject }: Kind,
  server: ServicesOptions["server"] = {},
): ServicesOptions {
  const password = passwordOf(method);
  return { both: { method, password }, server: { reject, ...server } };
}

function passwordOf(method: string): string {
  return method === NEW_METHOD ? NEW_KEY : PASSWORD;
}

/** Bytes that are no request; a stream method takes three in 256 for one. */
async function strangerBytes(
  method: string,
  length: number,
): Promise<Uint8Array> {
  using edition = await testEdition({ method, password: passwordOf(method) });
  for (let seed = length + 1;; seed++) {
    const bytes = seededBytes(length, seed);
    using stream = edition.newServerStream();
    const head = bytes.subarray(0, 2000);
    const output = new Uint8Array(head.length + 65_536);
    if (stream.receive(head, output).kind !== "request") return bytes;
  }
}

/** Connects, sends, and waits for the end. */
async function probe(
  port: number,
  bytes: Uint8Array,
  ends: boolean,
): Promise<Seen> {
  const before = performance.now();
  using prober = await Prober.connect(port);
  await prober.send(bytes);
  if (ends) await prober.finish();
  const ending = await prober.ending();
  const time = performance.now() - before;
  const { length } = bytes;
  return { length, reset: ending.reset, bytes: ending.bytes.length, time };
}

/** One probe of each length, at the same time; the long ones last. */
async function probeAll(
  services: Services,
  flights: readonly Uint8Array[],
  ends: boolean,
): Promise<Seen[]> {
  return await Promise.all(
    flights.map((bytes) => probe(services.serverPort, bytes, ends)),
  );
}

for (const poller of pollers()) {
  for (const kind of KINDS) {
    const { method, reject } = kind;
    const name = `${method}, ${reject}, ${poller}`;
    // The poller over Deno's sockets cannot reset: it drains.
    const isReset = reject === "reset" && poller !== "deno";
    const endsSoon = reject === "drain" || reject === "reset";

    Deno.test(`ssserver ends a stranger's connection in one way and at one moment, whatever it sends (${name})`, async () => {
      const options = optionsOf(kind, { timeout: DEADLINE });
      await using services = await Services.start({ ...options, poller });
      const flights = await Promise.all(
        LENGTHS.map((length) => strangerBytes(method, length)),
      );
      let seen: Seen[] = [];
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        seen = await probeAll(services, flights, false);
        if (endsSoon || spreadOf(seen) <= SPREAD) break;
      }
      assertEquals(seen.filter(({ bytes }) => bytes > 0), []);
      assertEquals(seen.map(({ reset }) => reset), seen.map(() => isReset));
      if (endsSoon) return;
      assert(spreadOf(seen) <= SPREAD, JSON.stringify(seen));
      for (const { time } of seen) assert(time > DEADLINE * 1000 - SPREAD);
    });

    Deno.test(`ssserver ends with a stranger that sends its end, whatever it has sent (${name})`, async () => {
      const options = optionsOf(kind);
      await using services = await Services.start({ ...options, poller });
      const flights = await Promise.all(
        LENGTHS.map((length) => strangerBytes(method, length)),
      );
      const seen = await probeAll(services, flights, true);
      assertEquals(seen.filter(({ bytes }) => bytes > 0), []);
      assertEquals(seen.map(({ reset }) => reset), seen.map(() => isReset));
    });
  }

  for (const method of [METHOD, STREAM_METHOD, NEW_METHOD]) {
    const kind: Kind = { method, reject: "reset" };
    const name = `${method}, ${poller}`;

    Deno.test(`ssserver shows a web server to web clients (${name})`, async () => {
      await using origin = new HttpOrigin("web");
      const fallback = { host: "127.0.0.1", port: origin.port };
      const options = optionsOf(kind, { fallback });
      await using services = await Services.start({ ...options, poller });
      const url = `http://127.0.0.1:${services.serverPort}`;
      for (const path of ["/", "/a?b=c"]) {
        const response = await fetch(`${url}${path}`);
        assertEquals(await response.text(), `web GET ${path} `);
      }
      const body = "x".repeat(300_000);
      const answer = await fetch(url, { method: "POST", body });
      assertEquals(await answer.text(), `web POST / ${body}`);
    });

    Deno.test(`ssserver passes on what is not shadowsocks, and a flight that was served (${name})`, async () => {
      await using web = new Collector();
      await using target = new Collector();
      const fallback = { host: "127.0.0.1", port: web.port };
      const options = optionsOf(kind, { fallback });
      await using services = await Services.start({ ...options, poller });
      const password = passwordOf(method);
      using edition = await testEdition({ method, password });
      using stream = edition.newClientStream({
        bytes: Uint8Array.of(127, 0, 0, 1),
        port: target.port,
      });
      const flight = encodeAll(stream, utf8("hello"));
      using first = await Prober.connect(services.serverPort);
      await first.send(flight);
      await first.finish();
      assertEquals(text(await target.next()), "hello");
      await first.ending();
      const hello = concat(
        Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3),
        seededBytes(506, 1),
      );
      const noise = await strangerBytes(method, 3);
      for (const bytes of [flight, hello, noise]) {
        using prober = await Prober.connect(services.serverPort);
        await prober.send(bytes);
        await prober.finish();
        assertEquals(await web.next(), bytes);
        const ending = await prober.ending();
        assertEquals([ending.bytes, ending.reset], [bytes, false]);
      }
      assertEquals(target.accepted, 1);
    });
  }
}

/** How much the moments of the ends differ, in milliseconds. */
function spreadOf(seen: readonly Seen[]): number {
  const times = seen.map(({ time }) => time);
  return Math.max(...times) - Math.min(...times);
}
