/**
 * Names of servers and targets that are slow, dead, or lead to addresses of no
 * use, with a name server of the test's own.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  echoTarget,
  type Pair,
  readExactly,
  socks5Connect,
  type Socks5Datagrams,
  socks5UdpAssociate,
  spawnPair,
  text,
  UdpEcho,
  utf8,
  withTimeout,
  writeAll,
} from "../support/mod.ts";

/** What the name server says to A and AAAA: bytes of addresses. */
interface Zone {
  readonly a: readonly (readonly number[])[];
  readonly aaaa: readonly (readonly number[])[];
  /** Milliseconds until A is answered. */
  readonly delayOfA?: number;
}

const LOCALHOST = [127, 0, 0, 1];
const LOCALHOST6 = [...new Array<number>(15).fill(0), 1];
const POLLERS = Deno.build.os === "linux" ? ["epoll", "deno"] : ["deno"];

/** A name server on loopback; it is silent about names that it does not know. */
class NameServer implements AsyncDisposable {
  /** By name; may change. */
  readonly zones = new Map<string, Zone>();
  readonly #socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });
  readonly #answered = Promise.withResolvers<void>();
  readonly #serving: Promise<void>;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor() {
    this.#serving = this.#serve();
  }

  /** Where it listens, as settings have it. */
  get address(): string {
    return `127.0.0.1:${(this.#socket.addr as Deno.NetAddr).port}`;
  }

  /** Settles once it has answered a question about an address. */
  get answered(): Promise<void> {
    return this.#answered.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#socket.close();
    await this.#serving;
  }

  async #serve(): Promise<void> {
    for await (const [query, from] of this.#socket) {
      const { name, type } = questionOf(query);
      const zone = this.zones.get(name);
      if (zone === undefined) continue;
      const isA = type === 1;
      const answer = answerTo(query, type, isA ? zone.a : zone.aaaa);
      const delay = isA ? zone.delayOfA ?? 0 : 0;
      if (delay === 0) {
        await this.#socket.send(answer, from);
        if (isA) this.#answered.resolve();
        continue;
      }
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#socket.send(answer, from).catch(() => {});
      }, delay);
      this.#timers.add(timer);
    }
  }
}

/** The name and type of a query (RFC 1035, section 4). */
function questionOf(
  query: Uint8Array,
): { readonly name: string; readonly type: number } {
  const labels: string[] = [];
  let at = 12;
  for (; query[at] !== 0; at += 1 + query[at]!) {
    labels.push(text(query.subarray(at + 1, at + 1 + query[at]!)));
  }
  return { name: labels.join("."), type: query[at + 2]! };
}

/** An answer with addresses for one second. */
function answerTo(
  query: Uint8Array,
  type: number,
  addresses: readonly (readonly number[])[],
): Uint8Array {
  const out = [...query];
  out[2] = 0x81;
  out[3] = 0x80;
  out[7] = addresses.length;
  for (const address of addresses) {
    out.push(0xc0, 12, 0, type, 0, 1, 0, 0, 0, 1, 0, address.length);
    out.push(...address);
  }
  return Uint8Array.from(out);
}

/** Sends until an answer comes: datagrams may be lost. */
async function echo(
  datagrams: Socks5Datagrams,
  target: { readonly hostname: string; readonly port: number },
): Promise<void> {
  let isOver = false;
  const answer = datagrams.receive().then(() => isOver = true);
  const sending = (async () => {
    while (!isOver) {
      await datagrams.send(target, utf8("x"));
      const pause = Promise.withResolvers<void>();
      const timer = setTimeout(pause.resolve, 200);
      await Promise.race([pause.promise, answer]);
      clearTimeout(timer);
    }
  })();
  try {
    await withTimeout(answer, "an echo");
  } finally {
    isOver = true;
    await sending;
  }
}

/** A pair whose server asks the test's name server. */
function pairOf(
  poller: string,
  names: NameServer,
  local: Record<string, string> = {},
): Promise<Pair> {
  return spawnPair({
    both: { event_loop: poller, dns_server: names.address, prefer_ipv6: true },
    local,
  });
}

for (const poller of POLLERS) {
  Deno.test(`ssserver over ${poller} uses the family that is known later when the first is of no use`, async () => {
    await using names = new NameServer();
    // The target listens on IPv4 alone.
    const zone = { a: [LOCALHOST], aaaa: [LOCALHOST6], delayOfA: 150 };
    names.zones.set("late.example", zone);
    await using target = echoTarget();
    await using pair = await pairOf(poller, names);
    const hostname = "late.example";
    using connection = await socks5Connect(pair.local.port, {
      hostname,
      port: target.port,
    });
    await writeAll(connection, utf8("hello"));
    assertEquals(text(await readExactly(connection, 5)), "hello");
  });

  Deno.test(`ssserver over ${poller} serves known and fresh names over UDP while dead ones are looked up`, async () => {
    await using names = new NameServer();
    for (const name of ["known.example", "fresh.example"]) {
      names.zones.set(name, { a: [LOCALHOST], aaaa: [] });
    }
    await using target = new UdpEcho();
    await using pair = await pairOf(poller, names);
    using datagrams = await socks5UdpAssociate(pair.local.port);
    const { port } = target;
    await echo(datagrams, { hostname: "known.example", port });
    for (let i = 0; i < 600; i++) {
      const hostname = `dead${i}.example`;
      await datagrams.send({ hostname, port }, utf8("x"));
    }
    const start = performance.now();
    for (const hostname of ["known.example", "fresh.example"]) {
      await echo(datagrams, { hostname, port });
    }
    // A dead name is given up after 3 s.
    assert(performance.now() - start < 2000);
  });

  Deno.test(`sslocal over ${poller} finds a server that has moved while a client keeps sending`, async () => {
    await using names = new NameServer();
    // Nobody listens there.
    names.zones.set("ss.example", { a: [[127, 0, 0, 9]], aaaa: [] });
    await using target = new UdpEcho();
    await using pair = await pairOf(poller, names, { server: "ss.example" });
    using datagrams = await socks5UdpAssociate(pair.local.port);
    await datagrams.send(target, utf8("lost"));
    await withTimeout(names.answered, "the first look-up");
    names.zones.set("ss.example", { a: [LOCALHOST], aaaa: [] });
    await echo(datagrams, target);
  });

  Deno.test(`sslocal over ${poller} uses the next address of a server when the first is silent`, async () => {
    await using names = new NameServer();
    const a = [[127, 0, 0, 9], LOCALHOST];
    names.zones.set("ss.example", { a, aaaa: [] });
    await using target = new UdpEcho();
    await using pair = await pairOf(poller, names, { server: "ss.example" });
    using datagrams = await socks5UdpAssociate(pair.local.port);
    await echo(datagrams, target);
  });
}

Deno.test("ssserver uses the next address of a target when one cannot be sent to", async () => {
  if (Deno.build.os !== "linux") return;
  await using names = new NameServer();
  // To everybody: refused to a socket that has not asked for it.
  const a = [[255, 255, 255, 255], LOCALHOST];
  names.zones.set("two.example", { a, aaaa: [] });
  await using target = new UdpEcho();
  await using pair = await pairOf("epoll", names);
  using datagrams = await socks5UdpAssociate(pair.local.port);
  await echo(datagrams, { hostname: "two.example", port: target.port });
});
