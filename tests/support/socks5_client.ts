/**
 * A SOCKS5 client (RFC 1928) that knows nothing of the product's own codec.
 *
 * @module
 */

import { concat } from "./bytes.ts";
import { readExactly, writeAll } from "./streams.ts";

const VERSION = 5;
const CONNECT = 1;
const UDP_ASSOCIATE = 3;
const NO_PASSWORD = 0;
const PASSWORD_WANTED = 2;
/** The version of RFC 1929's own exchange. */
const PASSWORD_VERSION = 1;
const IPV4 = 1;
const DOMAIN = 3;
const IPV6 = 4;
/** The longest UDP payload over IPv4. */
const MAX_DATAGRAM = 65_507;

/** Where a proxied connection goes. */
export interface Target {
  /** An IPv4 literal, the eight groups of an IPv6 one, or a host name. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
}

/** A user of a proxy. */
export interface ProxyLogin {
  /** The name. */
  readonly name: string;
  /** The password. */
  readonly password: string;
}

/** Thrown when the proxy answers with a failure code. */
export class Socks5Refused extends Error {
  override name = "Socks5Refused";
  /** The reply field of RFC 1928, section 6. */
  readonly reply: number;

  /** @param reply The code of the answer. */
  constructor(reply: number) {
    super(`Cannot connect through the proxy: reply ${reply}`);
    this.reply = reply;
  }
}

/**
 * Connects to a target through a proxy on 127.0.0.1.
 *
 * @param proxyPort Where the proxy listens.
 * @param target Where to.
 * @param login The user; undefined: nobody.
 * @returns The connection, ready for payload.
 * @throws {Socks5Refused} If the proxy says no.
 */
export async function socks5Connect(
  proxyPort: number,
  target: Target,
  login?: ProxyLogin,
): Promise<Deno.TcpConn> {
  const asked = { command: CONNECT, target, login };
  const { conn } = await request(proxyPort, asked);
  return conn;
}

/** A UDP association: datagrams to any target through a proxy. */
export class Socks5Datagrams implements Disposable {
  readonly #control: Deno.TcpConn | undefined;
  readonly #socket: Deno.DatagramConn;
  readonly #relay: Deno.NetAddr;

  /**
   * @param control Keeps the association alive; undefined: nothing does.
   * @param relay Where the proxy takes datagrams.
   * @param hostname The address of the client.
   */
  constructor(
    control: Deno.TcpConn | undefined,
    relay: Deno.NetAddr,
    hostname: string = "127.0.0.1",
  ) {
    this.#control = control;
    this.#relay = relay;
    this.#socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  }

  /** Where the proxy takes datagrams. */
  get relay(): Deno.NetAddr {
    return this.#relay;
  }

  /** The port that datagrams are sent from. */
  get port(): number {
    return (this.#socket.addr as Deno.NetAddr).port;
  }

  /**
   * Sends one datagram.
   *
   * @param target Where to.
   * @param payload What.
   */
  async send(target: Target, payload: Uint8Array): Promise<void> {
    const packet = concat(
      new Uint8Array(3),
      encodeAddress(target),
      payload,
    );
    await this.#socket.send(packet, this.#relay);
  }

  /**
   * Receives one datagram.
   *
   * @returns Its payload, and the source that the proxy names.
   */
  async receive(): Promise<
    { readonly payload: Uint8Array; readonly source: Target }
  > {
    const [packet] = await this.#socket.receive(new Uint8Array(MAX_DATAGRAM));
    const { target, length } = decodeAddress(packet.subarray(3));
    return { payload: packet.subarray(3 + length), source: target };
  }

  /** Ends the association. */
  [Symbol.dispose](): void {
    this.#socket.close();
    this.#control?.close();
  }
}

/**
 * Opens a UDP association with a proxy on 127.0.0.1.
 *
 * @param proxyPort Where the proxy listens.
 * @param login The user; undefined: nobody.
 * @returns The association.
 * @throws {Socks5Refused} If the proxy says no.
 */
export async function socks5UdpAssociate(
  proxyPort: number,
  login?: ProxyLogin,
): Promise<Socks5Datagrams> {
  const { conn, bound } = await request(proxyPort, {
    command: UDP_ASSOCIATE,
    target: { hostname: "0.0.0.0", port: 0 },
    login,
  });
  return new Socks5Datagrams(conn, { ...bound, transport: "udp" });
}

async function request(
  proxyPort: number,
  asked: {
    readonly command: number;
    readonly target: Target;
    readonly login: ProxyLogin | undefined;
  },
): Promise<{ readonly conn: Deno.TcpConn; readonly bound: Target }> {
  const { command, target, login } = asked;
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: proxyPort });
  try {
    const method = login === undefined ? NO_PASSWORD : PASSWORD_WANTED;
    await writeAll(conn, Uint8Array.of(VERSION, 1, method));
    const choice = await readExactly(conn, 2);
    if (choice[0] !== VERSION || choice[1] !== method) {
      throw new Error(`Cannot use the proxy: it chose ${choice}`);
    }
    if (login !== undefined) await authenticate(conn, login);
    const head = Uint8Array.of(VERSION, command, 0);
    await writeAll(conn, concat(head, encodeAddress(target)));
    const reply = await readExactly(conn, 4);
    const code = reply[1]!;
    const size = reply[3] === IPV6 ? 18 : 6;
    const rest = await readExactly(conn, size);
    if (code !== 0) throw new Socks5Refused(code);
    const { target: bound } = decodeAddress(
      concat(reply.subarray(3), rest),
    );
    return { conn, bound };
  } catch (error) {
    conn.close();
    throw error;
  }
}

/** RFC 1929. */
async function authenticate(
  conn: Deno.TcpConn,
  login: ProxyLogin,
): Promise<void> {
  const [name, password] = [login.name, login.password]
    .map((text) => new TextEncoder().encode(text));
  await writeAll(
    conn,
    concat(
      Uint8Array.of(PASSWORD_VERSION, name!.length),
      name!,
      Uint8Array.of(password!.length),
      password!,
    ),
  );
  const answer = await readExactly(conn, 2);
  if (answer[1] !== 0) {
    throw new Error(`Cannot use the proxy: it refuses the user, ${answer}`);
  }
}

function encodeAddress({ hostname, port }: Target): Uint8Array {
  const end = Uint8Array.of(port >> 8, port & 0xff);
  const parts = hostname.split(".").map(Number);
  if (parts.length === 4 && parts.every((part) => Number.isInteger(part))) {
    return concat(Uint8Array.of(IPV4, ...parts), end);
  }
  const groups = hostname.split(":").map((group) => parseInt(group, 16));
  if (groups.length === 8) {
    const address = groups.flatMap((group) => [group >> 8, group & 0xff]);
    return concat(Uint8Array.of(IPV6, ...address), end);
  }
  const name = new TextEncoder().encode(hostname);
  return concat(Uint8Array.of(DOMAIN, name.length), name, end);
}

function decodeAddress(
  bytes: Uint8Array,
): { readonly target: Target; readonly length: number } {
  const type = bytes[0]!;
  if (type === IPV4) {
    const hostname = bytes.subarray(1, 5).join(".");
    return { target: { hostname, port: port(bytes, 5) }, length: 7 };
  }
  if (type === DOMAIN) {
    const end = 2 + bytes[1]!;
    const hostname = new TextDecoder().decode(bytes.subarray(2, end));
    return { target: { hostname, port: port(bytes, end) }, length: end + 2 };
  }
  if (type === IPV6) {
    const groups = Array.from(
      { length: 8 },
      (_, i) => port(bytes, 1 + 2 * i).toString(16),
    );
    return {
      target: { hostname: groups.join(":"), port: port(bytes, 17) },
      length: 19,
    };
  }
  throw new Error(`Cannot read an address: its type is ${type}`);
}

function port(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! << 8 | bytes[offset + 1]!;
}
