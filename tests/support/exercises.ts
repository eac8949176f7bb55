/**
 * What every pair of a local and a server must be able to do, whoever made
 * them: each exercise goes through the SOCKS5 port of the local.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { socks5Connect, socks5UdpAssociate } from "./socks5_client.ts";
import {
  echoTarget,
  greetingTarget,
  sinkTarget,
  sourceTarget,
} from "./targets.ts";
import { withTimeout } from "./timeout.ts";
import { UdpEcho } from "./udp_echo.ts";
import { seededBytes, sha256 } from "./bytes.ts";
import { readExactly, readToEnd, writeAll } from "./streams.ts";

/**
 * Sends a file through an echo: it comes back as it was.
 *
 * @param proxyPort The SOCKS5 port.
 * @param length Its bytes.
 */
export async function echoFile(
  proxyPort: number,
  length: number,
): Promise<void> {
  await using target = echoTarget();
  using conn = await socks5Connect(proxyPort, target);
  const file = seededBytes(length, length);
  const sending = writeAll(conn, file);
  const back = await withTimeout(readExactly(conn, length), "a file", 60_000);
  await sending;
  assertEquals(await sha256(back), await sha256(file));
}

/**
 * Sends pieces of given sizes, each after the echo of the one before.
 *
 * @param proxyPort The SOCKS5 port.
 * @param sizes Bytes of each piece.
 */
export async function echoPieces(
  proxyPort: number,
  sizes: readonly number[],
): Promise<void> {
  await using target = echoTarget();
  using conn = await socks5Connect(proxyPort, target);
  for (const size of sizes) {
    const piece = seededBytes(size, size);
    const sending = writeAll(conn, piece);
    const back = await withTimeout(readExactly(conn, size), `${size} bytes`);
    await sending;
    assertEquals(await sha256(back), await sha256(piece), `${size} bytes`);
  }
}

/**
 * Makes requests over a connection each, some of them at the same time.
 *
 * @param proxyPort The SOCKS5 port.
 * @param options How many altogether, and how many at once.
 */
export async function request(
  proxyPort: number,
  options: { readonly count: number; readonly parallel: number },
): Promise<void> {
  await using target = echoTarget();
  let next = 0;
  async function work(): Promise<void> {
    while (next < options.count) {
      const number = next++;
      using conn = await socks5Connect(proxyPort, target);
      const question = seededBytes(64 + number % 512, number);
      await writeAll(conn, question);
      const answer = await readExactly(conn, question.length);
      assertEquals(answer, question, `request ${number}`);
    }
  }
  await withTimeout(
    Promise.all(Array.from({ length: options.parallel }, work)),
    `${options.count} requests`,
    60_000,
  );
  assertEquals(target.accepted, options.count);
}

/**
 * Sends datagrams of given sizes to an echo and compares what comes back.
 *
 * @param proxyPort The SOCKS5 port.
 * @param sizes Bytes of each datagram.
 */
export async function echoDatagrams(
  proxyPort: number,
  sizes: readonly number[],
): Promise<void> {
  await using target = new UdpEcho();
  using association = await socks5UdpAssociate(proxyPort);
  for (const size of sizes) {
    const payload = seededBytes(size, size);
    await association.send(target, payload);
    const answer = await withTimeout(
      association.receive(),
      `a datagram of ${size} bytes`,
    );
    assertEquals(
      await sha256(answer.payload.slice()),
      await sha256(payload),
      `datagram of ${size} bytes`,
    );
    assertEquals(answer.source, {
      hostname: target.hostname,
      port: target.port,
    });
  }
  assertEquals(target.received, sizes.length);
  assertEquals(target.sources.size, 1, "one outgoing socket per client");
}

/**
 * Ends the client's direction first: the answer still arrives.
 *
 * @param proxyPort The SOCKS5 port.
 */
export async function halfCloseByClient(proxyPort: number): Promise<void> {
  await using target = sinkTarget();
  using conn = await socks5Connect(proxyPort, target);
  const upload = seededBytes(300_000, 1);
  await writeAll(conn, upload);
  await conn.closeWrite();
  const answer = await withTimeout(readToEnd(conn), "the answer");
  assertEquals(new TextDecoder().decode(answer), await sha256(upload));
}

/**
 * Ends the target's direction first: what the client sends still arrives.
 *
 * @param proxyPort The SOCKS5 port.
 */
export async function halfCloseByTarget(proxyPort: number): Promise<void> {
  const download = seededBytes(300_000, 2);
  await using target = sourceTarget(download);
  using conn = await socks5Connect(proxyPort, target);
  const got = await withTimeout(readToEnd(conn), "the download");
  assertEquals(await sha256(got), await sha256(download));
  const upload = seededBytes(300_000, 3);
  await writeAll(conn, upload);
  await conn.closeWrite();
  const received = await withTimeout(target.received, "the upload");
  assertEquals(await sha256(received), await sha256(upload));
}

/**
 * Waits for a target that speaks first, without sending anything.
 *
 * @param proxyPort The SOCKS5 port.
 */
export async function serverFirst(proxyPort: number): Promise<void> {
  const greeting = new TextEncoder().encode("220 ready\r\n");
  await using target = greetingTarget(greeting);
  using conn = await socks5Connect(proxyPort, target);
  const got = await withTimeout(
    readExactly(conn, greeting.length),
    "the greeting",
  );
  assertEquals(got, greeting);
  const line = new TextEncoder().encode("QUIT\r\n");
  await writeAll(conn, line);
  assertEquals(await withTimeout(readExactly(conn, line.length), "QUIT"), line);
}
