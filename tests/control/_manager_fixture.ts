/**
 * For tests: a manager on real sockets, with a clock that the test moves on,
 * and clients of its ports that count their own bytes.
 *
 * @module
 */

import { type Config, readConfig, type Role } from "../../config/mod.ts";
import type { ControlAddress } from "../../control/mod.ts";
import { type Clock, EventLoop, type Poller } from "../../loop/mod.ts";
import { FakeResolver } from "../../dns/fakes.ts";
import { ManagedService } from "../../process/managed_service.ts";
import { LogCapture } from "../support/logs.ts";
import { CipherSuite } from "../../shadowsocks/mod.ts";
import { Descriptors } from "../_descriptors.ts";
import { pollers } from "../_loop_fixture.ts";
import {
  CipherPeer,
  header,
  METHOD,
  PROVIDERS,
} from "../relay/_relay_fixture.ts";
import {
  concat,
  ManagerClient,
  type ManagerPlace,
  readUntilClosed,
  type Target,
  withTimeout,
  writeAll,
} from "../support/mod.ts";

/** The system's clock, which a test can move on. */
class MovableClock implements Clock {
  #ahead = 0;

  now(): number {
    return performance.now() + this.#ahead;
  }

  advance(milliseconds: number): void {
    this.#ahead += milliseconds;
  }
}

/** What a test may choose. */
export interface ManagerOptions {
  /** Default: the best of this system. */
  readonly poller?: Poller["name"];
  /** Default `udp`. */
  readonly transport?: "udp" | "unix";
  /** The address of its socket; default: loopback, or a path. */
  readonly address?: ControlAddress;
  /** Default `ssserver`. */
  readonly role?: Role;
  /** Keys of its configuration file. */
  readonly keys?: Readonly<Record<string, unknown>>;
}

/** A service with a manager that runs in this process. */
export class ManagerFixture implements AsyncDisposable {
  /** What it logs. */
  readonly logs = new LogCapture();
  /** Answers IP literals, and names when the test says so. */
  readonly resolver = new FakeResolver();
  /** The service. */
  readonly service: ManagedService;
  /** Where the socket of its manager is. */
  place: ManagerPlace = "";
  readonly #clock = new MovableClock();
  readonly #descriptors: Descriptors;
  readonly #loop: EventLoop;
  readonly #folder: string;
  readonly #clients: ManagerClient[] = [];
  #running: Promise<void> | undefined;

  private constructor(
    config: Config,
    options: ManagerOptions,
    { descriptors, poller }: {
      readonly descriptors: Descriptors;
      readonly poller: Poller;
    },
  ) {
    this.#folder = Deno.makeTempDirSync({ prefix: "ss-manager-" });
    this.#descriptors = descriptors;
    this.#loop = new EventLoop(poller, {
      clock: this.#clock,
      cooperative: true,
    });
    const address = options.address ??
      (options.transport === "unix"
        ? { path: this.path }
        : { host: "127.0.0.1", port: 0 });
    this.service = new ManagedService(config, address, {
      loop: this.#loop,
      resolver: this.resolver,
      providers: PROVIDERS,
    });
  }

  /**
   * Makes a service that has not started.
   *
   * @param options What differs from the defaults.
   */
  static async make(options: ManagerOptions = {}): Promise<ManagerFixture> {
    const config = await read(options);
    const descriptors = new Descriptors();
    const poller = await descriptors.makePoller(options.poller);
    return new ManagerFixture(config, options, { descriptors, poller });
  }

  /** Makes a service and starts it. */
  static async start(options: ManagerOptions = {}): Promise<ManagerFixture> {
    const fixture = await ManagerFixture.make(options);
    try {
      await fixture.start();
      return fixture;
    } catch (error) {
      await fixture[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The path of its unix socket. */
  get path(): string {
    return `${this.#folder}/manager.sock`;
  }

  /** How many sockets the loop watches. */
  get watched(): number {
    return this.#loop.size;
  }

  /** Starts it. */
  async start(): Promise<void> {
    this.#running = this.#loop.run();
    await this.service.start();
    const { controlName } = this.service;
    const port = /:(\d+)$/.exec(controlName)?.[1];
    this.place = port === undefined ? controlName : Number(port);
  }

  /** A new client of its socket. */
  client(): ManagerClient {
    const client = new ManagerClient(
      this.place,
      `${this.#folder}/${this.#clients.length}`,
    );
    this.#clients.push(client);
    return client;
  }

  /** Lets ten seconds pass: what is periodic is done once. */
  tenSeconds(): void {
    this.#clock.advance(10_000);
    this.#loop.runDue();
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.service.destroy();
    this.#loop.stop();
    await this.#running;
    for (const client of this.#clients) client[Symbol.dispose]();
    this.logs[Symbol.dispose]();
    Deno.removeSync(this.#folder, { recursive: true });
    this.#descriptors.endLoop(this.#loop);
  }
}

/**
 * Defines one test for each poller and each kind of socket.
 *
 * @param name The name of the test.
 * @param options What its manager is started with; a function is called just
 * before each start, as free ports are to be chosen.
 * @param body The test; gets the options too.
 */
export function managerTest<Options extends ManagerOptions>(
  name: string,
  options: Options | (() => Options),
  body: (fixture: ManagerFixture, options: Options) => Promise<void>,
): void {
  const transports = Deno.build.os === "windows"
    ? ["udp"] as const
    : ["udp", "unix"] as const;
  for (const poller of pollers()) {
    for (const transport of transports) {
      Deno.test(`${name} (${poller}, ${transport})`, async () => {
        const own = typeof options === "function" ? options() : options;
        await using fixture = await ManagerFixture.start({
          poller,
          transport,
          ...own,
        });
        await fixture.logs.during(() => body(fixture, own));
      });
    }
  }
}

/** A connection through a port to a target that echoes. */
export class PortConnection implements Disposable {
  /** Ciphertext sent to the port. */
  sent = 0;
  /** Plaintext that came back, which the port has read from the target. */
  received = 0;
  readonly #conn: Deno.TcpConn;
  readonly #suite: CipherSuite;
  readonly #peer: CipherPeer;
  #answer = new Uint8Array(0);
  #header: Uint8Array;

  private constructor(conn: Deno.TcpConn, suite: CipherSuite, target: Target) {
    this.#conn = conn;
    this.#suite = suite;
    this.#peer = new CipherPeer(suite);
    this.#header = header({ host: target.hostname, port: target.port });
  }

  /** Connects to a port. */
  static async open(
    port: number,
    password: string,
    options: { readonly target: Target; readonly method?: string },
  ): Promise<PortConnection> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    const method = options.method ?? METHOD;
    const suite = await CipherSuite.create(method, password, PROVIDERS);
    return new PortConnection(conn, suite, options.target);
  }

  /** All bytes that the port counts. */
  get bytes(): number {
    return this.sent + this.received;
  }

  /** Sends bytes and waits until they have come back. */
  async echo(payload: Uint8Array): Promise<void> {
    const sealed = this.#peer.seal(this.#header, payload);
    this.#header = new Uint8Array(0);
    await writeAll(this.#conn, sealed);
    this.sent += sealed.length;
    const before = this.#peer.plaintext.length;
    const buffer = new Uint8Array(65_536);
    while (this.#peer.plaintext.length < before + payload.length) {
      const count = await this.#conn.read(buffer);
      if (count === null) throw new Error("the connection has ended");
      this.#answer = concat(this.#answer, buffer.subarray(0, count));
      this.#peer.open(this.#answer);
    }
    this.received += payload.length;
    const got = this.#peer.plaintext.subarray(before);
    if (!got.every((byte, i) => byte === payload[i])) {
      throw new Error("the echo differs");
    }
  }

  /** Waits for the end of the connection, which must not look clean. */
  async ended(): Promise<void> {
    const { bytes, reset } = await withTimeout(
      readUntilClosed(this.#conn),
      "the end of a connection",
    );
    // The deno poller cannot reset: the end stands inside a chunk.
    if (!reset && bytes.length !== 1) throw new Error("it was a clean end");
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#conn.close();
    this.#peer[Symbol.dispose]();
    this.#suite[Symbol.dispose]();
  }
}

/** A client of the UDP side of a port, and a target that echoes. */
export class PortDatagrams implements Disposable {
  /** Bytes that the port counts: ciphertext sent, plaintext that came back. */
  bytes = 0;
  readonly #socket: Deno.DatagramConn;
  readonly #port: number;
  readonly #suite: CipherSuite;
  readonly #header: Uint8Array;

  private constructor(port: number, suite: CipherSuite, target: Target) {
    this.#port = port;
    this.#suite = suite;
    this.#header = header({ host: target.hostname, port: target.port });
    this.#socket = Deno.listenDatagram({
      transport: "udp",
      hostname: "127.0.0.1",
      port: 0,
    });
  }

  /** Makes a client of a port. */
  static async open(
    port: number,
    password: string,
    options: { readonly target: Target; readonly method?: string },
  ): Promise<PortDatagrams> {
    const { target, method = METHOD } = options;
    const suite = await CipherSuite.create(method, password, PROVIDERS);
    return new PortDatagrams(port, suite, target);
  }

  /** Sends a datagram and waits until it has come back. */
  async echo(payload: Uint8Array): Promise<void> {
    const plain = concat(this.#header, payload);
    const sealed = new Uint8Array(plain.length + this.#suite.packetOverhead);
    this.#suite.sealPacket(plain, sealed);
    await this.#socket.send(sealed, {
      transport: "udp",
      hostname: "127.0.0.1",
      port: this.#port,
    });
    const [answer] = await withTimeout(
      this.#socket.receive(new Uint8Array(65_536)),
      "a datagram",
    );
    const out = new Uint8Array(answer.length);
    const length = this.#suite.openPacket(answer, out);
    const got = out.subarray(this.#header.length, length);
    if (
      got.length !== payload.length ||
      !got.every((byte, i) => byte === payload[i])
    ) {
      throw new Error("the echo differs");
    }
    this.bytes += sealed.length + payload.length;
  }

  /** Closes the socket. */
  [Symbol.dispose](): void {
    this.#socket.close();
    this.#suite[Symbol.dispose]();
  }
}

/** Reads a configuration as that of a process is read. */
async function read(options: ManagerOptions): Promise<Config> {
  const { role = "ssserver", keys = {} } = options;
  const file = JSON.stringify({
    server: "127.0.0.1",
    method: METHOD,
    forbidden_ip: [],
    // Only says that there is a manager: the fixture chooses where.
    manager_address: "127.0.0.1:1",
    ...keys,
  });
  const result = await readConfig(["-c", "config.json"], {
    role,
    source: { readTextFile: () => file },
  });
  if (result.kind === "config") return result.config;
  throw new TypeError(JSON.stringify(result));
}
