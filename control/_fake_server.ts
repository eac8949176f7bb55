/**
 * For tests: a server whose ports exist in name only, and a manager of it on a
 * fake network.
 *
 * @module
 */

import { FakeResolver } from "../dns/fakes.ts";
import { type FakeDatagram, FakeNet } from "../loop/fakes.ts";
import { SocketAddress } from "../loop/mod.ts";
import {
  type ManagedPort,
  type ManagedServer,
  Manager,
  type PortRequest,
} from "./manager.ts";
import type { ManagerDialect } from "./manager_request.ts";
import { PortTraffic } from "./port_traffic.ts";

/** Opens and closes nothing, and remembers what it was told. */
export class FakeServer implements ManagedServer {
  /** `open` and `close`, each with its port. */
  readonly told: string[] = [];
  /** What `open` of a port gives. */
  readonly errors = new Map<number, Error>();
  /** What `open` of a port throws. */
  readonly faults = new Map<number, Error>();
  /** `open` of a port settles after this. */
  readonly waits = new Map<number, Promise<void>>();
  startPorts: readonly ManagedPort[] = [];

  /** A port that it can open. */
  port(port: number, method = "aes-128-gcm"): ManagedPort {
    return {
      port,
      method,
      addresses: `192.0.2.1:${port}`,
      open: () => this.#open(port),
    };
  }

  parsePort(json: string): PortRequest {
    try {
      const { server_port: port, method } = JSON.parse(json);
      return { kind: "port", port: this.port(port, method), warnings: [] };
    } catch {
      return { kind: "error", messages: ["one", "two"] };
    }
  }

  addressesOf(port: number): string {
    return `192.0.2.1:${port}`;
  }

  closePort(port: number): Promise<void> {
    this.told.push(`close ${port}`);
    return Promise.resolve();
  }

  async #open(port: number): Promise<Error | undefined> {
    this.told.push(`open ${port}`);
    await this.waits.get(port);
    const fault = this.faults.get(port);
    if (fault !== undefined) throw fault;
    return this.errors.get(port);
  }
}

/** A manager of a {@linkcode FakeServer}. */
export class FakeManagerNet implements Disposable {
  readonly net = new FakeNet();
  readonly server = new FakeServer();
  readonly traffic = new PortTraffic();
  readonly manager: Manager;

  /**
   * Makes a manager that has not started.
   *
   * @param dialect How it answers.
   */
  constructor(dialect: ManagerDialect = "python") {
    this.manager = new Manager({
      address: { host: "127.0.0.1", port: 6001 },
      dialect,
      loop: this.net.loop,
      resolver: new FakeResolver(),
      server: this.server,
      traffic: this.traffic,
    });
  }

  /** Makes a manager and starts it. */
  static async start(dialect?: ManagerDialect): Promise<FakeManagerNet> {
    const fixture = new FakeManagerNet(dialect);
    await fixture.manager.start();
    return fixture;
  }

  /** The manager's socket. */
  get socket(): FakeDatagram {
    return this.net.poller.datagrams[0]!;
  }

  /** Brings requests of one client, and lets the manager do them. */
  async send(...requests: readonly string[]): Promise<void> {
    this.bring(4000, ...requests);
    await this.net.settle();
  }

  /** Brings requests from a port; nothing is done with them yet. */
  bring(from: number, ...requests: readonly string[]): void {
    const client = SocketAddress.parse("127.0.0.1", from);
    const encoder = new TextEncoder();
    for (const each of requests) {
      this.socket.bring(encoder.encode(each), client);
    }
  }

  /** What was sent since the last look. */
  answers(): string[] {
    const decoder = new TextDecoder();
    return this.socket.sends.splice(0).map(({ data }) => decoder.decode(data));
  }

  [Symbol.dispose](): void {
    this.manager.close();
  }
}
