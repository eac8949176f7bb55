/**
 * What the clients of a soak ask for: targets, and a name server that knows no
 * name.
 *
 * @module
 */

import {
  concat,
  echoTarget,
  readExactly,
  seededBytes,
  sinkTarget,
  TcpTarget,
  UdpEcho,
  writeAll,
} from "../support/mod.ts";

/** The targets of all clients. */
export class SoakTargets implements AsyncDisposable {
  /** Sends back what it gets. */
  readonly echo: TcpTarget = echoTarget();
  /** Answers with the checksum of what it gets. */
  readonly sink: TcpTarget = sinkTarget();
  /** Sends without end. */
  readonly source: TcpTarget = new TcpTarget(giveForever);
  /** Closes after some bytes without reading the rest, which is a reset. */
  readonly rude: TcpTarget = new TcpTarget(async (conn) => {
    await readExactly(conn, 1);
  });
  /** Sends datagrams back. */
  readonly datagrams: UdpEcho = new UdpEcho();

  /** Closes all of them. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { echo, sink, source, rude, datagrams } = this;
    for (const each of [echo, sink, source, rude, datagrams]) {
      await each[Symbol.asyncDispose]();
    }
  }
}

/**
 * Answers every query with NXDOMAIN (RFC 1035, section 4.1.1).
 *
 * @returns The name server, to be closed.
 */
export function nameServer(): Deno.DatagramConn {
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });
  (async (): Promise<void> => {
    for await (const [query, from] of socket) {
      const flags = Uint8Array.of(0x81, 0x83);
      await socket.send(
        concat(query.subarray(0, 2), flags, query.subarray(4)),
        from,
      );
    }
  })().catch(() => {});
  return socket;
}

async function giveForever(conn: Deno.TcpConn): Promise<void> {
  const block = seededBytes(64 * 1024);
  for (;;) await writeAll(conn, block);
}
