/**
 * The contract of unix datagram sockets, over every poller.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { contractTest, type LoopFixture } from "../tests/_loop_fixture.ts";
import {
  type DatagramSocket,
  FAILED,
  POLL_IN,
  removeStaleSocket,
  SocketError,
  UnixAddress,
  WOULD_BLOCK,
} from "./mod.ts";

interface Arrival {
  readonly text: string;
  readonly sender: UnixAddress;
}

/** Defines a test with a folder, on systems that have such sockets. */
function unixTest(
  name: string,
  body: (fixture: LoopFixture, folder: string) => Promise<void>,
): void {
  if (Deno.build.os === "windows") return;
  contractTest(name, async (fixture) => {
    const folder = await Deno.makeTempDir({ prefix: "ss-unix-" });
    try {
      await body(fixture, folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

function receive(
  fixture: LoopFixture,
  socket: DatagramSocket<UnixAddress>,
): Arrival[] {
  const arrivals: Arrival[] = [];
  const buffer = new Uint8Array(70_000);
  fixture.on(socket, POLL_IN, () => {
    let length: number;
    while ((length = socket.recvFrom(buffer)) >= 0) {
      arrivals.push({
        text: new TextDecoder().decode(buffer.subarray(0, length)),
        sender: socket.sender,
      });
    }
    assertEquals(length, WOULD_BLOCK, socket.error);
  });
  return arrivals;
}

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

function send(
  socket: DatagramSocket<UnixAddress>,
  text: string,
  to: UnixAddress,
): void {
  const data = new TextEncoder().encode(text);
  assertEquals(socket.sendTo(data, to), data.length, socket.error);
}

unixTest(
  "Poller.bindUnixDatagram() answers the name that a datagram came from",
  async (fixture, folder) => {
    using server = fixture.poller.bindUnixDatagram(`${folder}/s`);
    using one = fixture.poller.bindUnixDatagram(`${folder}/1`);
    using two = fixture.poller.bindUnixDatagram(`${folder}/2`);
    assertEquals(server.kind, "datagram");
    assertEquals(`${server.localAddress}`, "0.0.0.0:0");
    const atServer = receive(fixture, server);
    const atOne = receive(fixture, one);
    const atTwo = receive(fixture, two);
    const name = new UnixAddress(`${folder}/s`);
    send(one, "first", name);
    send(two, "second", name);
    await fixture.until(() => atServer.length === 2, "both datagrams");
    for (const { text, sender } of atServer) {
      send(server, `${text} from ${sender}`, sender);
    }
    await fixture.until(
      () => atOne.length === 1 && atTwo.length === 1,
      "both answers",
    );
    assertEquals(atOne[0]!.text, `first from ${folder}/1`);
    assertEquals(atTwo[0]!.text, `second from ${folder}/2`);
    assertEquals(atOne[0]!.sender.path, `${folder}/s`);
  },
);

unixTest(
  "DatagramSocket.sendTo() of a unix socket sends while it waits to receive",
  async (fixture, folder) => {
    using server = fixture.poller.bindUnixDatagram(`${folder}/s`);
    using client = fixture.poller.bindUnixDatagram(`${folder}/c`);
    const atServer = receive(fixture, server);
    const atClient = receive(fixture, client);
    const name = new UnixAddress(`${folder}/c`);
    for (let i = 0; i < 5; i++) {
      await fixture.turns(2);
      send(server, `${i}`, name);
      await fixture.until(() => atClient.length === i + 1, `datagram ${i}`);
    }
    assertEquals(atClient.map(({ text }) => text).join(""), "01234");
    assertEquals(atServer, []);
  },
);

unixTest(
  "Poller.bindUnixDatagram() makes a file for its owner, close() removes it",
  async (fixture, folder) => {
    const path = `${folder}/s`;
    const socket = fixture.poller.bindUnixDatagram(path);
    const { isSocket, mode } = await Deno.lstat(path);
    assert(isSocket);
    assertEquals(mode! & 0o777, 0o600);
    assertEquals(namesIn(folder).length, 1);
    socket.close();
    socket.close();
    assertEquals(namesIn(folder), []);
  },
);

unixTest(
  "DatagramSocket.close() leaves the file of a unix socket that followed it",
  async (fixture, folder) => {
    const path = `${folder}/s`;
    const first = fixture.poller.bindUnixDatagram(path);
    // Kept under another name, so that its number is not used again.
    await Deno.rename(path, `${folder}/old`);
    using _second = fixture.poller.bindUnixDatagram(path);
    first.close();
    assert((await Deno.lstat(path)).isSocket);
  },
);

unixTest(
  "removeStaleSocket() removes a socket that nobody listens on, nothing else",
  async (fixture, folder) => {
    const path = `${folder}/s`;
    using _live = fixture.poller.bindUnixDatagram(path);
    await Deno.writeTextFile(`${folder}/file`, "kept");
    await Deno.symlink(path, `${folder}/link`);
    assertEquals(await removeStaleSocket(path), false);
    assertEquals(await removeStaleSocket(`${folder}/file`), false);
    assertEquals(await removeStaleSocket(`${folder}/link`), false);
    assertEquals(await removeStaleSocket(`${folder}/none`), false);
    Deno.listenDatagram({ transport: "unixpacket", path: `${folder}/stale` })
      .close();
    assertEquals(await removeStaleSocket(`${folder}/stale`), true);
    assertEquals(namesIn(folder), ["file", "link", "s"]);
    using _next = fixture.poller.bindUnixDatagram(`${folder}/stale`);
  },
);

unixTest(
  "Poller.bindUnixDatagram() throws SocketError when it cannot bind",
  async (fixture, folder) => {
    await Deno.writeTextFile(`${folder}/file`, "kept");
    using _live = fixture.poller.bindUnixDatagram(`${folder}/s`);
    const cases = [
      [`${folder}/s`, "EADDRINUSE"],
      [`${folder}/file`, "EADDRINUSE"],
      [`${folder}/none/s`, "ENOENT"],
      [`${folder}/${"x".repeat(120)}`, "ENAMETOOLONG"],
    ] as const;
    for (const [path, code] of cases) {
      const error = assertThrows(
        () => fixture.poller.bindUnixDatagram(path),
        SocketError,
      ) as SocketError;
      assertEquals(error.code, code);
      assert(error.message.includes(path), error.message);
    }
    assertEquals(await Deno.readTextFile(`${folder}/file`), "kept");
  },
);

unixTest(
  "DatagramSocket.sendTo() of a unix socket fails when nobody can get it",
  async (fixture, folder) => {
    using socket = fixture.poller.bindUnixDatagram(`${folder}/s`);
    using other = fixture.poller.bindUnixDatagram(`${folder}/o`);
    assertEquals(socket.sendTo(new Uint8Array(1), new UnixAddress("")), FAILED);
    assertEquals(socket.error, "EDESTADDRREQ");
    socket.sendTo(new Uint8Array(1), new UnixAddress(`${folder}/none`));
    // The next one is not hindered.
    const atOther = receive(fixture, other);
    send(socket, "next", new UnixAddress(`${folder}/o`));
    await fixture.until(() => atOther.length === 1, "the next datagram");
    assertEquals(atOther[0]!.text, "next");
  },
);

unixTest(
  "DatagramSocket of a unix socket fails with EBADF after close()",
  (fixture, folder) => {
    const closed = fixture.poller.bindUnixDatagram(`${folder}/s`);
    using _other = fixture.poller.bindUnixDatagram(`${folder}/o`);
    closed.close();
    assertEquals(closed.recvFrom(new Uint8Array(1)), FAILED);
    assertEquals(closed.error, "EBADF");
    const name = new UnixAddress(`${folder}/o`);
    assertEquals(closed.sendTo(new Uint8Array(1), name), FAILED);
    assertEquals(closed.error, "EBADF");
    return Promise.resolve();
  },
);
