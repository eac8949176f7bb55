/**
 * The application of the demo: moves data through the proxy and compares what
 * comes back.
 *
 * @module
 */

import {
  type DatagramSocket,
  type EventLoop,
  POLL_IN,
  SocketAddress,
} from "../loop/mod.ts";
import {
  CMD_CONNECT,
  CMD_UDP_ASSOCIATE,
  REPLY_SUCCEEDED,
  SOCKS_VERSION,
  writeAddress,
  writeUdpHeader,
} from "../socks5/mod.ts";
import { writeAll } from "./_target.ts";

const GREETING = new Uint8Array([SOCKS_VERSION, 1, 0]);
/** Length of a reply that names an IPv4 address. */
const REPLY_LENGTH = 10;
/** Length of RSV, FRAG and an IPv4 address header. */
const UDP_HEADER_LENGTH = 10;
const CHUNK = 128 * 1024;
/** Milliseconds after which a datagram counts as lost and is sent again. */
const RESEND_AFTER = 500;
const MAX_SENDS = 5;

/** Told how many bytes have come back so far. */
export type OnProgress = (bytes: number) => void;

/**
 * Sends bytes to the echo through the proxy and compares the answer.
 *
 * @param proxy Where the proxy is.
 * @param target Where the echo is.
 * @param options How many bytes, and who wants to know of the progress.
 * @throws {Error} If what comes back is not what was sent.
 */
export async function verifyTcp(
  proxy: SocketAddress,
  target: SocketAddress,
  options: { readonly bytes: number; readonly onProgress: OnProgress },
): Promise<void> {
  const { connection } = await request(proxy, CMD_CONNECT, target);
  try {
    const pattern = new Uint8Array(CHUNK);
    crypto.getRandomValues(pattern.subarray(0, CHUNK / 2));
    crypto.getRandomValues(pattern.subarray(CHUNK / 2));
    const sending = sendPattern(connection, pattern, options.bytes);
    await comparePattern(connection, pattern, options);
    await sending;
  } finally {
    connection.close();
  }
}

/**
 * Sends datagrams of several sizes to the echo through the proxy, one after
 * the other, and compares the answers. A lost one is sent again, as an
 * application would.
 *
 * @param loop Carries the socket.
 * @param proxy Where the proxy is.
 * @param options Where the echo is, how long the datagrams are, and who wants
 * to know of the progress.
 * @throws {Error} If an answer does not come, or is not what was sent.
 */
export async function verifyUdp(
  loop: EventLoop,
  proxy: SocketAddress,
  options: {
    readonly target: SocketAddress;
    readonly sizes: readonly number[];
    readonly onProgress: OnProgress;
  },
): Promise<void> {
  const { connection, bound } = await request(
    proxy,
    CMD_UDP_ASSOCIATE,
    SocketAddress.parse("0.0.0.0", 0),
  );
  const socket = loop.poller.bindUdp(SocketAddress.parse(proxy.host, 0));
  try {
    let total = 0;
    for (const size of options.sizes) {
      const packet = new Uint8Array(UDP_HEADER_LENGTH + size);
      writeUdpHeader(packet, 0, options.target);
      for (let i = UDP_HEADER_LENGTH; i < packet.length; i++) {
        packet[i] = (i * 7 + size) & 0xff;
      }
      const answer = await exchange(loop, socket, { packet, bound });
      if (!equal(answer, packet)) {
        throw new Error(`Cannot verify UDP: a ${size} byte answer differs`);
      }
      options.onProgress(total += size);
    }
  } finally {
    loop.remove(socket);
    socket.close();
    connection.close();
  }
}

async function request(
  proxy: SocketAddress,
  command: number,
  target: SocketAddress,
): Promise<
  { readonly connection: Deno.TcpConn; readonly bound: SocketAddress }
> {
  const connection = await Deno.connect({
    hostname: proxy.host,
    port: proxy.port,
  });
  try {
    const message = new Uint8Array(3 + 1 + 4 + 2);
    message.set([SOCKS_VERSION, command, 0]);
    writeAddress(message, 3, target);
    await writeAll(connection, GREETING);
    await readFull(connection, new Uint8Array(2));
    await writeAll(connection, message);
    const reply = await readFull(connection, new Uint8Array(REPLY_LENGTH));
    if (reply[1] !== REPLY_SUCCEEDED) {
      throw new Error(`Cannot use the proxy: it replies ${reply[1]}`);
    }
    const port = reply[8]! << 8 | reply[9]!;
    return { connection, bound: SocketAddress.fromIpv4(reply, 4, port) };
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function sendPattern(
  connection: Deno.TcpConn,
  pattern: Uint8Array,
  bytes: number,
): Promise<void> {
  for (let left = bytes; left > 0; left -= pattern.length) {
    await writeAll(connection, pattern.subarray(0, left));
  }
}

async function comparePattern(
  connection: Deno.TcpConn,
  pattern: Uint8Array,
  options: { readonly bytes: number; readonly onProgress: OnProgress },
): Promise<void> {
  const answer = new Uint8Array(pattern.length);
  for (let done = 0; done < options.bytes;) {
    const length = Math.min(pattern.length, options.bytes - done);
    await readFull(connection, answer.subarray(0, length));
    if (!equal(answer.subarray(0, length), pattern.subarray(0, length))) {
      throw new Error(`Cannot verify TCP: the answer differs near ${done}`);
    }
    options.onProgress(done += length);
  }
}

/** Sends a datagram until its answer comes. */
function exchange(
  loop: EventLoop,
  socket: DatagramSocket,
  datagram: { readonly packet: Uint8Array; readonly bound: SocketAddress },
): Promise<Uint8Array> {
  const { packet, bound } = datagram;
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const buffer = new Uint8Array(packet.length + 1);
  let sends = 0;
  const send = (): void => {
    if (sends++ < MAX_SENDS) {
      socket.sendTo(packet, bound);
      timer = loop.addTimer(RESEND_AFTER, send);
    } else {
      reject(new Error("Cannot verify UDP: no answer"));
    }
  };
  loop.remove(socket);
  loop.add(socket, POLL_IN, {
    handleEvent: () => {
      const length = socket.recvFrom(buffer);
      if (length < 0) return;
      timer.cancel();
      resolve(buffer.slice(0, length));
    },
  });
  let timer = loop.addTimer(0, send);
  return promise;
}

async function readFull(
  connection: Deno.TcpConn,
  buffer: Uint8Array,
): Promise<Uint8Array> {
  for (let done = 0; done < buffer.length;) {
    const count = await connection.read(buffer.subarray(done));
    if (count === null) throw new Error("Cannot read: the proxy hung up");
    done += count;
  }
  return buffer;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}
