/**
 * For tests: a UDPRelay on fakes, and the packets of its peers.
 *
 * @module
 */

import type { FakeDatagram } from "../../loop/fakes.ts";
import { SocketAddress } from "../../loop/mod.ts";
import { UDPRelay, type UDPRelayOptions } from "../../relay/mod.ts";
import { DECRYPT_FAILED } from "../../shadowsocks/mod.ts";
import { parseAddress } from "../../socks5/mod.ts";
import { header, LoopOnFakes, type TestSettings } from "./_relay_fixture.ts";
import { concat } from "../support/bytes.ts";

/** A host and a port. */
export interface Place {
  /** An IP literal or a name. */
  readonly host: string;
  /** The port. */
  readonly port: number;
}

/** What a test may choose. */
export interface UdpFixtureOptions {
  /** Default false: a server. */
  readonly isLocal?: boolean;
  /** What differs from the defaults. */
  readonly settings?: Partial<TestSettings>;
  /** What the relay itself is made with in place of the defaults. */
  readonly relay?: Partial<UDPRelayOptions>;
}

/** A UDP relay on fakes. */
export class UdpFixture extends LoopOnFakes {
  readonly relay: UDPRelay;

  constructor(options: UdpFixtureOptions = {}) {
    super();
    this.relay = new UDPRelay(this.udpRelayOptions(options));
    this.relay.addToLoop(this.loop);
  }

  /** What a UDP relay of this loop is made with. */
  udpRelayOptions(options: UdpFixtureOptions = {}): UDPRelayOptions {
    const settings = this.settings(options.settings);
    const isLocal = options.isLocal ?? false;
    const { protocol, packets, router } = this.sidesOf(settings, isLocal);
    return {
      protocol,
      listen: SocketAddress.parse("127.0.0.1", 0),
      inbound: packets,
      router,
      sessions: this.sessions,
      timeout: settings.timeout,
      maxAssociations: settings.udpMaxAssociations,
      poller: this.poller,
      resolver: this.resolver,
      buffers: this.buffers,
      ...options.relay,
    };
  }

  /** Towards the clients. */
  get listener(): FakeDatagram {
    return this.poller.datagrams[0]!;
  }

  /** The outgoing sockets made so far. */
  get outgoing(): readonly FakeDatagram[] {
    return this.poller.datagrams.slice(1);
  }

  /** A datagram comes from a client. */
  async fromClient(data: Uint8Array, client: SocketAddress): Promise<void> {
    this.listener.bring(data, client);
    await this.settle();
  }

  /** Seals what a peer would send: address, data. */
  seal(place: Place, data: Uint8Array): Uint8Array {
    return this.sealRaw(concat(header(place), data));
  }

  /** Seals any plaintext. */
  sealRaw(plain: Uint8Array): Uint8Array {
    const out = new Uint8Array(plain.length + this.suite.packetOverhead);
    return out.subarray(0, this.suite.sealPacket(plain, out));
  }

  /** Opens what the relay has sealed. */
  open(
    packet: Uint8Array,
  ): { readonly head: Uint8Array; readonly data: Uint8Array } {
    const out = new Uint8Array(packet.length);
    const length = this.suite.openPacket(packet, out);
    if (length === DECRYPT_FAILED) throw new Error("not authentic");
    const address = parseAddress(out, { end: length });
    if (address.status !== "ok") throw new Error("no address");
    return {
      head: out.slice(0, address.length),
      data: out.slice(address.length, length),
    };
  }

  override [Symbol.dispose](): void {
    this.relay.close();
    super[Symbol.dispose]();
  }
}

/** A client with a port of its own. */
export function client(port: number, host = "198.51.100.1"): SocketAddress {
  return SocketAddress.parse(host, port);
}
