/**
 * As much of a SOCKS5 client (RFC 1928) as a benchmark needs: proxy and
 * target are on 127.0.0.1.
 *
 * @module
 */

const HOST = "127.0.0.1";
const CONNECT = 1;
const UDP_ASSOCIATE = 3;
const MAX_DATAGRAM = 2048;

/**
 * Connects to the target through the proxy.
 *
 * @param proxy The proxy's port.
 * @param target The target's port.
 * @returns The connection.
 * @throws {Error} If the proxy says no.
 */
export async function connect(
  proxy: number,
  target: number,
): Promise<Deno.TcpConn> {
  return (await request(proxy, CONNECT, target)).conn;
}

/** Datagrams to one target through the proxy. */
export interface Association extends Disposable {
  /** Puts the header before a payload. */
  wrap(payload: Uint8Array): Uint8Array;
  /** Sends what {@linkcode wrap} has made. */
  send(packet: Uint8Array): Promise<void>;
  /** Receives a datagram; its length counts the header. */
  receive(): Promise<number>;
}

/**
 * Opens a UDP association.
 *
 * @param proxy The proxy's port.
 * @param target The target's port.
 * @returns The association.
 * @throws {Error} If the proxy says no.
 */
export async function associate(
  proxy: number,
  target: number,
): Promise<Association> {
  const { conn, port } = await request(proxy, UDP_ASSOCIATE, 0);
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: HOST,
    port: 0,
  });
  const relay: Deno.NetAddr = { transport: "udp", hostname: HOST, port };
  const buffer = new Uint8Array(MAX_DATAGRAM);
  let open = true;
  return {
    wrap: (payload) => Uint8Array.of(0, 0, 0, ...address(target), ...payload),
    send: async (packet) => {
      await socket.send(packet, relay);
    },
    receive: async () => (await socket.receive(buffer))[0].length,
    [Symbol.dispose]: () => {
      if (!open) return;
      open = false;
      socket.close();
      conn.close();
    },
  };
}

/**
 * Reads an exact number of bytes.
 *
 * @param conn Where from.
 * @param length How many.
 * @returns The bytes.
 * @throws {Error} If the stream ends before.
 */
export async function readExactly(
  conn: Deno.TcpConn,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const count = await conn.read(bytes.subarray(done));
    if (count === null) {
      throw new Error(
        `Cannot read ${length} bytes: the stream ended at ${done}`,
      );
    }
    done += count;
  }
  return bytes;
}

/**
 * Writes all bytes.
 *
 * @param conn Where to.
 * @param bytes What.
 */
export async function writeAll(
  conn: Deno.TcpConn,
  bytes: Uint8Array,
): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += await conn.write(bytes.subarray(done));
  }
}

async function request(
  proxy: number,
  command: number,
  target: number,
): Promise<{ readonly conn: Deno.TcpConn; readonly port: number }> {
  const conn = await Deno.connect({ hostname: HOST, port: proxy });
  try {
    conn.setNoDelay(true);
    await writeAll(conn, Uint8Array.of(5, 1, 0));
    await readExactly(conn, 2);
    await writeAll(conn, Uint8Array.of(5, command, 0, ...address(target)));
    const reply = await readExactly(conn, 4);
    const rest = await readExactly(conn, reply[3] === 4 ? 18 : 6);
    if (reply[1] !== 0) {
      throw new Error(`Cannot connect through the proxy: reply ${reply[1]}`);
    }
    return { conn, port: rest.at(-2)! << 8 | rest.at(-1)! };
  } catch (error) {
    conn.close();
    throw error;
  }
}

function address(port: number): number[] {
  return [1, 127, 0, 0, 1, port >> 8, port & 0xff];
}
