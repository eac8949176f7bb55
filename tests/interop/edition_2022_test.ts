/**
 * The 2022 edition beside shadowsocks-rust and sing-box, both ways round: every
 * method, TCP and UDP, with users (SIP023), by tunnels, and through a relay that
 * strips an identity header. `SS_RUST` names rust's sslocal, `SS_SING_BOX` sing-box, where
 * they are not on PATH.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  echoDatagrams,
  echoFile,
  echoPieces,
  echoTarget,
  freePort,
  halfCloseByClient,
  halfCloseByTarget,
  seededBytes,
  serverFirst,
  socks5UdpAssociate,
  toBase64,
  UdpEcho,
  withTimeout,
} from "../support/mod.ts";
import { type Maker, ours, rust, singBox } from "./_makers.ts";
import { findRust } from "./_rust.ts";
import { findSingBox } from "./_sing_box.ts";
import { checkDatagrams, checkStream } from "./_tunnel_checks.ts";

const FILE = 2 * 1024 * 1024;
const EDGES = [1, 2, 1459, 1460, 16_383, 16_384, 32_768, 65_535, 65_536];
const DATAGRAMS = [1, 2, 100, 512, 1200, 1392];
const METHODS: readonly (readonly [name: string, keyLength: number])[] = [
  ["2022-blake3-aes-128-gcm", 16],
  ["2022-blake3-aes-256-gcm", 32],
  ["2022-blake3-chacha20-poly1305", 32],
];

/** A key, the same in every run. */
function key(length: number, seed: number): string {
  return toBase64(seededBytes(length, seed));
}

/** Everything that all of the makers on the way can do. */
async function exercise(
  port: number,
  ...makers: readonly Maker[]
): Promise<void> {
  await echoPieces(port, EDGES);
  await echoFile(port, FILE);
  if (makers.every(({ halfCloses }) => halfCloses)) {
    await halfCloseByClient(port);
    await halfCloseByTarget(port);
  }
  await serverFirst(port);
  await echoDatagrams(port, DATAGRAMS);
}

const POLLERS = Deno.build.os === "linux" ? ["epoll", "deno"] : ["deno"];
const rustFolder = findRust();
const singBoxFile = findSingBox();
const peers = [
  ...rustFolder === undefined ? [] : [rust(rustFolder)],
  ...singBoxFile === undefined ? [] : [singBox(singBoxFile)],
];

function pairTest(
  client: Maker,
  server: Maker,
  [method, length]: readonly [string, number],
): void {
  Deno.test(`sslocal of ${client.name} and ssserver of ${server.name} relay with ${method}`, async () => {
    const password = key(length, 1);
    await using far = await server.server({ method, password, users: [] });
    const serverPort = far.port;
    await using near = await client.client({ method, password, serverPort });
    await exercise(near.port, client, server);
  });
  if (!method.includes("aes")) return;
  Deno.test(`sslocal of ${client.name} and ssserver of ${server.name} relay for two users with ${method}`, async () => {
    const password = key(length, 1);
    const users = ["alice", "bob"].map((name, i) => ({
      name,
      password: key(length, 10 + i),
    }));
    await using far = await server.server({ method, password, users });
    for (const user of users) {
      await using near = await client.client({
        method,
        password: `${password}:${user.password}`,
        serverPort: far.port,
      });
      await exercise(near.port, client, server);
    }
  });
}

for (const peer of peers) {
  for (const poller of POLLERS) {
    for (const method of METHODS) {
      pairTest(ours(poller), peer, method);
      pairTest(peer, ours(poller), method);
    }
  }
}

/** An association goes on when its server is started again. */
function restartTest(client: Maker, server: Maker): void {
  Deno.test(`an association of ${client.name} goes on when ssserver of ${server.name} is started again`, async () => {
    const [method, length] = METHODS[1]!;
    const password = key(length, 1);
    const setup = { method, password, users: [], port: freePort() };
    await using target = new UdpEcho();
    await using near = await client.client({
      ...{ method, password },
      serverPort: setup.port,
    });
    await using association = await socks5UdpAssociate(near.port);
    for (let start = 0; start < 2; start++) {
      await using _far = await server.server(setup);
      for (let size = 1; size < 20; size++) {
        const payload = seededBytes(size, 100 * start + size);
        await association.send(target, payload);
        const what = `datagram ${size} after start ${start}`;
        const answer = await withTimeout(association.receive(), what);
        assertEquals(answer.payload.slice(), payload);
      }
    }
  });
}

for (const peer of peers) {
  restartTest(ours(POLLERS[0]!), peer);
  restartTest(peer, ours(POLLERS[0]!));
}

/** A tunnel of one, and the server of another. */
function tunnelTest(
  client: Maker,
  server: Maker,
  [method, length]: readonly [string, number],
): void {
  Deno.test(`a tunnel of ${client.name} leads through ssserver of ${server.name} with ${method}`, async () => {
    const main = key(length, 1);
    const user = key(length, 10);
    // Where there are users, the password has two keys.
    const hasUsers = method.includes("aes");
    await using far = await server.server({
      method,
      password: main,
      users: hasUsers ? [{ name: "alice", password: user }] : [],
    });
    const setup = {
      method,
      password: hasUsers ? `${main}:${user}` : main,
      serverPort: far.port,
    };
    await using echo = echoTarget();
    await using udpEcho = new UdpEcho();
    for (const { port: targetPort } of [echo, udpEcho]) {
      await using near = await client.tunnel({ ...setup, targetPort });
      if (targetPort === echo.port) await checkStream(near.port);
      else await checkDatagrams(near.port);
    }
  });
}

for (const peer of peers) {
  for (const method of METHODS) {
    tunnelTest(ours(POLLERS[0]!), peer, method);
    tunnelTest(peer, ours(POLLERS[0]!), method);
  }
}

/** The client has an identity header more than the server reads. */
function relayTest(
  client: Maker,
  relay: Relay,
  server: Maker,
  [method, length]: readonly [string, number],
): void {
  Deno.test(`sslocal of ${client.name} reaches ssserver of ${server.name} through a relay of ${relay.name} with ${method}`, async () => {
    const [outer, inner, user] = [1, 2, 3].map((seed) => key(length, seed));
    const users = [{ name: "alice", password: user! }];
    await using far = await server.server({ method, password: inner!, users });
    await using middle = await relay.relay({
      ...{ method, password: outer!, behind: inner! },
      serverPort: far.port,
    });
    await using near = await client.client({
      method,
      password: `${outer}:${inner}:${user}`,
      serverPort: middle.port,
    });
    await exercise(near.port, client, server, relay);
  });
}

/** A maker that can be a relay. */
type Relay = Maker & Required<Pick<Maker, "relay">>;

function canRelay(maker: Maker): maker is Relay {
  return maker.relay !== undefined;
}

const own = ours(POLLERS[0]!);
const makers = peers.length > 0 ? [own, ...peers] : [];
for (const relay of makers.filter(canRelay)) {
  const method = METHODS[relay === own ? 1 : 0]!;
  for (const client of makers) {
    for (const server of makers) {
      if (![client, relay, server].includes(own)) continue;
      relayTest(client, relay, server, method);
    }
  }
}
