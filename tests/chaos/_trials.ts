/**
 * What is tried over a network that misbehaves, and what must hold.
 *
 * @module
 */

import {
  concat,
  echoTarget,
  randomOf,
  type RoleProcess,
  seededBytes,
  sha256,
  sinkTarget,
  socks5Connect,
  Socks5Refused,
  socks5UdpAssociate,
  sourceTarget,
  spawnRole,
  type TcpTarget,
  text,
  toBase64,
  UdpEcho,
  withTimeout,
  writeAll,
} from "../support/mod.ts";
import { ChaosDatagrams, ChaosProxy, type Cut } from "./_chaos_proxy.ts";

/** Which way bytes go in a transfer. */
export const DIRECTIONS = ["up", "down", "both"] as const;
/** One of them. */
export type Direction = typeof DIRECTIONS[number];

/** The methods of trials: every framing. */
export const METHODS: readonly string[] = [
  "aes-256-gcm",
  "chacha20-ietf-poly1305",
  "aes-256-cfb",
  "2022-blake3-aes-128-gcm",
  "2022-blake3-aes-256-gcm",
  "2022-blake3-chacha20-poly1305",
];

/** Milliseconds for a transfer. */
const PATIENCE = 600_000;
/** Milliseconds without an answer after which no datagram comes any more. */
const SILENCE = 500;
/** Bytes of a file that is cut. */
const CUT_FILE = 300_000;

/** Two roles with a network between them that misbehaves. */
export class ChaosPair implements AsyncDisposable {
  /** Where the local listens. */
  readonly port: number;
  /** The network of connections. */
  readonly network: ChaosProxy;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    local: RoleProcess,
    network: ChaosProxy,
    stack: AsyncDisposableStack,
  ) {
    this.port = local.port;
    this.network = network;
    this.#stack = stack;
  }

  /**
   * Starts both roles.
   *
   * @param method Their method.
   * @param seed Decides what the network does.
   * @param options `udp`: datagrams misbehave, and not connections.
   */
  static async start(
    method: string,
    seed: number,
    options: { readonly udp?: boolean } = {},
  ): Promise<ChaosPair> {
    await using stack = new AsyncDisposableStack();
    const common = { method, password: passwordOf(method) };
    const server = stack.use(
      await spawnRole("ssserver", {
        config: {
          ...{ server: "127.0.0.1", server_port: 0, forbidden_ip: "" },
          ...common,
        },
      }),
    );
    const network = stack.use(await ChaosProxy.start(server.port, seed));
    const datagrams = options.udp === true
      ? stack.use(new ChaosDatagrams(server.port, seed))
      : undefined;
    const local = stack.use(
      await spawnRole("sslocal", {
        config: {
          server: "127.0.0.1",
          server_port: (datagrams ?? network).port,
          ...{ local_address: "127.0.0.1", local_port: 0 },
          ...common,
        },
      }),
    );
    return new ChaosPair(local, network, stack.move());
  }

  /** Ends both roles and the network. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

function passwordOf(method: string): string {
  const bits = /^2022-.*-(128|256|poly)/.exec(method)?.[1];
  return bits === undefined
    ? "correct horse battery staple"
    : toBase64(seededBytes(bits === "128" ? 16 : 32));
}

/**
 * Transfers a file.
 *
 * @param pair The way.
 * @param direction Which way the file goes; `both`: there and back.
 * @param file Its bytes.
 * @throws {Error} If other bytes come.
 */
export async function transfer(
  pair: ChaosPair,
  direction: Direction,
  file: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const sum = await sha256(file);
  await using target = targetFor(direction, file);
  using conn = await socks5Connect(pair.port, target);
  const sending = direction !== "down"
    ? writeAll(conn, file).then(() => conn.closeWrite())
    : undefined;
  const { bytes, end } = await withTimeout(
    readAll(conn),
    `a transfer ${direction}`,
    PATIENCE,
  );
  await sending;
  const got = direction === "up" ? text(bytes) : await sha256(bytes);
  if (end !== "end" || got !== sum) {
    throw new Error(`other bytes came ${direction}: ${bytes.length}, ${end}`);
  }
}

function targetFor(
  direction: Direction,
  file: Uint8Array<ArrayBuffer>,
): TcpTarget {
  switch (direction) {
    case "up":
      return sinkTarget();
    case "down":
      return sourceTarget(file);
    case "both":
      return echoTarget();
  }
}

/**
 * Downloads a file whose connection is reset under way.
 *
 * @param pair The way.
 * @param seed Decides where it is reset.
 * @throws {Error} If the application gets something else than a true beginning
 * of the file and a reset.
 */
export async function cutTransfer(
  pair: ChaosPair,
  seed: number,
): Promise<void> {
  const random = randomOf(seed);
  const file = seededBytes(CUT_FILE, seed);
  const direction = random(4) === 0 ? "up" : "down";
  const after = direction === "up" ? random(200) : random(CUT_FILE);
  const cut: Cut = { direction, after: 1 + after };
  const before = pair.network.resets;
  pair.network.next = cut;
  await using target = sourceTarget(file);
  target.received.catch(() => {});
  try {
    using conn = await socks5Connect(pair.port, target);
    await writeAll(conn, seededBytes(100, seed)).catch(() => {});
    const { bytes, end } = await withTimeout(
      readAll(conn),
      `a cut transfer, seed ${seed}`,
    );
    const isWhole = pair.network.resets === before;
    if (bytes.some((byte, i) => byte !== file[i])) {
      throw new Error(`other bytes came: seed ${seed}`);
    }
    if (end !== (isWhole ? "end" : "reset")) {
      throw new Error(
        `${bytes.length} bytes and then the ${end}: seed ${seed}`,
      );
    }
  } catch (error) {
    // Cut before the server has answered.
    if (error instanceof Socks5Refused) return;
    throw error;
  } finally {
    pair.network.next = undefined;
  }
}

/**
 * Sends datagrams to an echo.
 *
 * @param pair The way.
 * @param count How many.
 * @returns How many came back.
 * @throws {Error} If one comes back twice, or altered.
 */
export async function datagrams(
  pair: ChaosPair,
  count: number,
): Promise<number> {
  await using target = new UdpEcho();
  using association = await socks5UdpAssociate(pair.port);
  const missing = new Set<string>();
  for (let n = 0; n < count; n++) {
    const payload = concat(Uint8Array.of(n >> 8, n), seededBytes(n % 1300, n));
    missing.add(payload.toHex());
    await association.send(target, payload);
    if (n % 20 === 0) await pause(2);
  }
  for (;;) {
    const next = association.receive();
    next.catch(() => {});
    const answer = await Promise.race([next, pause(SILENCE)]);
    if (answer === undefined) return count - missing.size;
    if (!missing.delete(answer.payload.toHex())) {
      throw new Error("a datagram came twice, or altered");
    }
  }
}

/** All bytes, and how they ended. */
async function readAll(
  conn: Deno.Conn,
): Promise<{
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly end: "end" | "reset";
}> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(256 * 1024);
  for (;;) {
    let count: number | null;
    try {
      count = await conn.read(buffer);
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
      return { bytes: concat(...parts), end: "reset" };
    }
    if (count === null) return { bytes: concat(...parts), end: "end" };
    parts.push(buffer.slice(0, count));
  }
}

function pause(milliseconds: number): Promise<undefined> {
  return new Promise((resolve) =>
    setTimeout(() => resolve(undefined), milliseconds)
  );
}
