/**
 * A network that misbehaves, between a local and its server: connections are
 * cut into pieces, joined, held back, stalled and reset; datagrams are lost,
 * doubled and overtake each other. A seed decides what happens.
 *
 * @module
 */

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { randomOf } from "../support/mod.ts";

/** Most bytes of a piece: those of a segment of Ethernet. */
const PIECE = 1460;
/** One piece in so many waits. */
const WAITS = 400;
/** Most milliseconds of a wait. */
const WAIT = 20;
/** One piece in so many stalls. */
const STALLS = 40_000;
/** Milliseconds of a stall. */
const STALL = 1000;
/** Milliseconds for which bytes are held for those that follow. */
const HOLD = 3;

type Random = (limit: number) => number;

/** What the next connection meets beside pieces and waits. */
export interface Cut {
  /** Which way the bytes are counted. */
  readonly direction: "up" | "down";
  /** After how many both sides are reset. */
  readonly after: number;
}

/** A proxy on 127.0.0.1 in front of a TCP port of it. */
export class ChaosProxy implements AsyncDisposable {
  /** What the next connection meets; undefined: no reset. */
  next: Cut | undefined;
  /** How many connections were reset. */
  resets = 0;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #seed: number;

  private constructor(server: Server, targetPort: number, seed: number) {
    this.#server = server;
    this.#seed = seed;
    server.on("connection", (near: Socket) => this.#serve(near, targetPort));
  }

  /**
   * Starts it.
   *
   * @param targetPort Where connections go to.
   * @param seed Decides what happens to them.
   */
  static async start(targetPort: number, seed: number): Promise<ChaosProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new ChaosProxy(server, targetPort, seed);
  }

  /** Where it listens. */
  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Ends all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    await closed;
  }

  #serve(near: Socket, targetPort: number): void {
    const cut = this.next;
    this.next = undefined;
    const far = connect({
      host: "127.0.0.1",
      port: targetPort,
      allowHalfOpen: true,
      noDelay: true,
    });
    const both = [near, far];
    for (const socket of both) {
      this.#open.add(socket);
      socket.on("close", () => this.#open.delete(socket));
      // The reset of one side is the reset of the other.
      socket.on("error", () => this.#reset(both));
    }
    const left = (direction: Cut["direction"]): number =>
      cut?.direction === direction ? cut.after : Infinity;
    const onCut = (): void => {
      this.resets++;
      this.#reset(both);
    };
    const pump = (from: Socket, to: Socket, bytes: number): void => {
      new Pump(from, to, { random: randomOf(this.#seed++), bytes, onCut })
        .run();
    };
    pump(near, far, left("up"));
    pump(far, near, left("down"));
  }

  #reset(sockets: readonly Socket[]): void {
    for (const socket of sockets) {
      if (!socket.destroyed) socket.resetAndDestroy();
    }
  }
}

/** One direction of a connection. */
class Pump {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #random: Random;
  readonly #onCut: () => void;
  /** Bytes until the reset. */
  #left: number;

  constructor(from: Socket, to: Socket, options: {
    readonly random: Random;
    readonly bytes: number;
    readonly onCut: () => void;
  }) {
    this.#from = from;
    this.#to = to;
    this.#random = options.random;
    this.#left = options.bytes;
    this.#onCut = options.onCut;
  }

  async run(): Promise<void> {
    try {
      // The other direction goes on after the end of this one.
      const chunks = this.#from.iterator({ destroyOnReturn: false });
      for await (const chunk of chunks) {
        if (!await this.#take(chunk)) return;
      }
      this.#to.end();
    } catch {
      // Either side is gone, of which `error` has told.
    }
  }

  /** False: the connection was reset. */
  async #take(chunk: Uint8Array): Promise<boolean> {
    const isLast = chunk.length >= this.#left;
    const bytes = isLast ? chunk.subarray(0, this.#left) : chunk;
    this.#left -= bytes.length;
    switch (isLast ? 0 : this.#random(10)) {
      case 9:
        // What follows meanwhile comes in one piece behind it.
        await pause(HOLD);
        await this.#write(bytes);
        break;
      case 8:
      case 7:
      case 6:
        await this.#writePieces(bytes);
        break;
      default:
        await this.#write(bytes);
    }
    if (isLast) this.#onCut();
    return !isLast;
  }

  async #writePieces(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const length = 1 + this.#random(PIECE);
      await this.#write(bytes.subarray(at, at + length));
      at += length;
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (this.#random(STALLS) === 0) await pause(STALL);
    else if (this.#random(WAITS) === 0) await pause(this.#random(WAIT));
    if (this.#to.destroyed) return;
    if (!this.#to.write(bytes)) {
      await Promise.race([once(this.#to, "drain"), once(this.#to, "close")]);
    }
  }
}

/** How often datagrams meet something, once in so many. */
const LOST = 10;
const DOUBLED = 10;
const LATE = 5;

/** The same for datagrams: a proxy for one client. */
export class ChaosDatagrams implements AsyncDisposable {
  /** Where it listens. */
  readonly port: number;
  readonly #near: Deno.DatagramConn;
  readonly #far: Deno.DatagramConn;
  readonly #random: Random;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #running: Promise<void>;
  #client: Deno.Addr | undefined;

  /**
   * Starts it.
   *
   * @param targetPort Where datagrams go to.
   * @param seed Decides what happens to them.
   */
  constructor(targetPort: number, seed: number) {
    const place = { transport: "udp", hostname: "127.0.0.1" } as const;
    this.#random = randomOf(seed);
    this.#near = Deno.listenDatagram({ ...place, port: 0 });
    this.#far = Deno.listenDatagram({ ...place, port: 0 });
    this.port = (this.#near.addr as Deno.NetAddr).port;
    const target = { ...place, port: targetPort };
    this.#running = Promise.all([
      this.#relay(this.#near, (bytes, from) => {
        this.#client = from;
        return this.#far.send(bytes, target);
      }),
      this.#relay(this.#far, async (bytes) => {
        if (this.#client !== undefined) {
          await this.#near.send(bytes, this.#client);
        }
      }),
    ]).then(() => {});
  }

  /** Closes its sockets; what is on its way is lost. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#near.close();
    this.#far.close();
    await this.#running;
  }

  async #relay(
    socket: Deno.DatagramConn,
    send: (bytes: Uint8Array, from: Deno.Addr) => Promise<unknown>,
  ): Promise<void> {
    for await (const [bytes, from] of socket) {
      if (this.#random(LOST) === 0) continue;
      const times = this.#random(DOUBLED) === 0 ? 2 : 1;
      for (let i = 0; i < times; i++) {
        const later = (): void => {
          send(bytes, from).catch(() => {});
        };
        if (this.#random(LATE) > 0) later();
        else this.#after(this.#random(WAIT), later);
      }
    }
  }

  #after(milliseconds: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, milliseconds);
    this.#timers.add(timer);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
