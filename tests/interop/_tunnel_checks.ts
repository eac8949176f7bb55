/**
 * What is done with the near end of a tunnel whose far end is an echo.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  readExactly,
  seededBytes,
  sha256,
  withTimeout,
  writeAll,
} from "../support/mod.ts";

const FILE = 1024 * 1024;
const DATAGRAMS = [1, 2, 100, 1200, 1392];

/**
 * Sends a file through a tunnel to an echo.
 *
 * @param port Where the tunnel listens.
 */
export async function checkStream(port: number): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const file = seededBytes(FILE, FILE);
  const sending = writeAll(conn, file);
  const back = await withTimeout(readExactly(conn, FILE), "the file");
  await sending;
  assertEquals(await sha256(back), await sha256(file));
}

/**
 * Sends datagrams through a tunnel to an echo.
 *
 * @param port Where the tunnel listens.
 */
export async function checkDatagrams(port: number): Promise<void> {
  using stack = new DisposableStack();
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });
  stack.defer(() => socket.close());
  for (const size of DATAGRAMS) {
    const payload = seededBytes(size, size);
    await socket.send(payload, {
      transport: "udp",
      hostname: "127.0.0.1",
      port,
    });
    const [answer] = await withTimeout(socket.receive(), `${size} bytes`);
    assertEquals(answer, payload);
  }
}
