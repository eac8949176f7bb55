/**
 * For tests: a TCPRelay on fakes, with a clock that the test moves, and the
 * cipher of its peer.
 *
 * @module
 */

import {
  type AeadCipher,
  type AeadKey,
  findMethod,
  openProviders,
  type ProviderSet,
} from "../../crypto/mod.ts";
import { FakeResolver } from "../../dns/fakes.ts";
import {
  type AssociationRegistry,
  type Inbound,
  type Observer,
  type PacketInbound,
  RelayBuffers,
  type Router,
  type Session,
  Sessions,
  STREAM_UP,
  Target,
  TCPRelay,
  type TCPRelayHandler,
  type TCPRelayOptions,
} from "../../relay/mod.ts";
import { EventLoop, parseIp, SocketAddress } from "../../loop/mod.ts";
import {
  FakeClock,
  type FakeListener,
  FakePoller,
  type FakeStream,
} from "../../loop/fakes.ts";
import {
  MixedInbound,
  ShadowsocksInbound,
  ShadowsocksPackets,
  SocksInbound,
  SocksPackets,
  TunnelInbound,
  TunnelPackets,
} from "../../inbound/mod.ts";
import {
  DirectOutbound,
  IpNetworks,
  makeRouter,
  ShadowsocksOutbound,
} from "../../outbound/mod.ts";
import {
  CipherSuite,
  ClassicEdition,
  type Cryptor,
  DECRYPT_FAILED,
} from "../../shadowsocks/mod.ts";
import {
  addressLength,
  type Endpoint,
  writeAddress,
} from "../../socks5/mod.ts";
import { LogCapture } from "../support/logs.ts";
import { concat } from "../support/bytes.ts";

/** A host and a port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** What a listener of the tests may differ in. */
export interface TestSettings {
  /** Idle seconds. */
  readonly timeout: number;
  /** Which protocols are relayed. */
  readonly mode: "tcp_only" | "tcp_and_udp" | "udp_only";
  /** Client: the servers; one is picked at random. */
  readonly servers: readonly HostPort[];
  /** Tunnel: the one target. */
  readonly tunnel: HostPort | undefined;
  /** Networks that nobody may be connected to. */
  readonly forbiddenIp: IpNetworks;
  /** TCP fast open. */
  readonly fastOpen: boolean;
  /** One-time authentication. */
  readonly oneTimeAuth: boolean;
  /** Most associations. */
  readonly udpMaxAssociations: number;
  /** Names the cipher; default: that of the fixture. */
  readonly suite: CipherSuite;
}

/** The method of the tests: salt 16, tag 16. */
export const METHOD = "aes-128-gcm";
/** Bytes of its salt. */
export const SALT_LENGTH = 16;
/** Bytes of its tag. */
export const TAG_LENGTH = 16;
const PASSWORD = "a password of the tests";

/** One set for all tests of a file: a library stays loaded in any case. */
export const PROVIDERS: ProviderSet = await openProviders();
const PROVIDER = await PROVIDERS.forMethod(findMethod(METHOD)!);
// The default method may load another one beside it.
await PROVIDERS.forMethod(findMethod("aes-256-gcm")!);

/** What a test may choose. */
export interface FixtureOptions {
  /** Default false: a server. */
  readonly isLocal?: boolean;
  /** What differs from the defaults. */
  readonly settings?: Partial<TestSettings>;
  /** The UDP side of the port. */
  readonly udpRelay?: AssociationRegistry;
  /** What the relay itself is made with in place of the defaults. */
  readonly relay?: Partial<TCPRelayOptions>;
}

/** What a listener speaks, and who decides where it leads. */
export interface Sides {
  readonly protocol: string;
  readonly inbound: Inbound;
  readonly packets: PacketInbound;
  readonly router: Router;
}

/** A loop on fakes, and what relays need. */
export class LoopOnFakes implements Disposable {
  readonly clock = new FakeClock(5_000_000);
  readonly poller = new FakePoller();
  readonly loop = new EventLoop(this.poller, { clock: this.clock });
  readonly resolver = new FakeResolver();
  readonly logs = new LogCapture();
  readonly suite = new CipherSuite(findMethod(METHOD)!, PASSWORD, PROVIDER);

  /** What the relays and their observers share. */
  readonly sessions: Sessions;
  /** Sessions in the order of their beginning. */
  readonly opened: Session[] = [];
  /** Sessions in the order of their end. */
  readonly ended: Session[] = [];
  /** Bytes read, by port, as the manager counts them. */
  readonly stats: [port: number, bytes: number][] = [];
  readonly buffers = new RelayBuffers();

  constructor() {
    const observer: Observer = {
      onOpen: (session) => void this.opened.push(session),
      onEnd: (session) => void this.ended.push(session),
      onBytes: (session, stream, payload, wire) => {
        const bytes = stream === STREAM_UP ? wire : payload;
        if (bytes > 0) this.stats.push([session.listener.port, bytes]);
      },
    };
    this.sessions = new Sessions([observer]);
  }

  /** Settings with the defaults of the tests. */
  settings(different: Partial<TestSettings> = {}): TestSettings {
    return {
      suite: this.suite,
      timeout: 300,
      mode: "tcp_and_udp",
      servers: [{ host: "192.0.2.1", port: 8388 }],
      tunnel: undefined,
      forbiddenIp: IpNetworks.of([]),
      fastOpen: false,
      oneTimeAuth: false,
      udpMaxAssociations: 512,
      ...different,
    };
  }

  /** What a listener needs for its settings. */
  sidesOf(settings: TestSettings, isLocal: boolean): Sides {
    const { servers, forbiddenIp, tunnel, mode } = settings;
    const edition = new ClassicEdition(settings.suite, settings.oneTimeAuth);
    const direct = new DirectOutbound();
    const { resolver } = this;
    if (!isLocal) {
      return {
        protocol: "shadowsocks",
        inbound: new ShadowsocksInbound(edition),
        packets: new ShadowsocksPackets(edition),
        router: makeRouter({
          role: "server",
          routes: { default: direct, direct },
          forbidden: forbiddenIp,
          resolver,
        }),
      };
    }
    const ways = servers.map(({ host, port }) =>
      new ShadowsocksOutbound({
        name: `${host}:${port}`,
        server: Target.of(host, port),
        edition,
        fastOpen: settings.fastOpen,
      })
    );
    const pick = (): ShadowsocksOutbound =>
      ways[Math.floor(Math.random() * ways.length)]!;
    const route = ways.length === 1 ? ways[0]! : {
      name: "all",
      isGroup: true,
      pick: (_session: Session, tried: readonly unknown[]) => {
        const left = ways.filter((way) => !tried.includes(way));
        return tried.length === 0 ? pick() : left[0];
      },
    };
    const router = makeRouter({
      role: "client",
      routes: { default: route, direct },
      resolver,
    });
    if (tunnel !== undefined) {
      const target = Target.of(tunnel.host, tunnel.port);
      return {
        protocol: "tunnel",
        inbound: new TunnelInbound(target),
        packets: new TunnelPackets(target),
        router,
      };
    }
    const socks = new SocksInbound({ mode });
    return {
      protocol: "mixed",
      inbound: new MixedInbound({ socks, http: socks }),
      packets: new SocksPackets(),
      router,
    };
  }

  /** What a relay of this loop is made with. */
  relayOptions(options: FixtureOptions = {}): TCPRelayOptions {
    const settings = this.settings(options.settings);
    const isLocal = options.isLocal ?? false;
    const { protocol, inbound, router } = this.sidesOf(settings, isLocal);
    return {
      protocol,
      listen: SocketAddress.parse("127.0.0.1", 0),
      inbound,
      router,
      sessions: this.sessions,
      timeout: settings.timeout,
      poller: this.poller,
      resolver: this.resolver,
      buffers: this.buffers,
      fastOpen: settings.fastOpen,
      udpRelay: options.udpRelay,
      ...options.relay,
    };
  }

  /** Lets the loop run until nothing is ready. */
  async settle(): Promise<void> {
    this.poller.begin();
    this.poller.onIdle = () => this.loop.stop();
    await this.loop.run();
  }

  /** Moves the clock, then runs what is due and what follows from it. */
  async advance(seconds: number): Promise<void> {
    this.clock.advance(seconds * 1000);
    this.loop.runDue();
    await this.settle();
  }

  [Symbol.dispose](): void {
    this.suite[Symbol.dispose]();
    this.logs[Symbol.dispose]();
  }
}

/** A relay on fakes. */
export class RelayFixture extends LoopOnFakes {
  readonly relay: TCPRelay;

  constructor(options: FixtureOptions = {}) {
    super();
    this.relay = new TCPRelay(this.relayOptions(options));
    this.relay.addToLoop(this.loop);
  }

  /** The relay's listener. */
  get listener(): FakeListener {
    return this.poller.listeners[0]!;
  }

  /** A client connects, and is accepted. */
  async accept(): Promise<FakeStream> {
    const stream = this.listener.arrive();
    await this.settle();
    return stream;
  }

  /** Several clients connect, and are accepted. */
  async acceptMany(count: number): Promise<FakeStream[]> {
    const streams = Array.from({ length: count }, () => this.listener.arrive());
    await this.settle();
    return streams;
  }

  /** The handler of a connection that was accepted, or made. */
  handlerOf(stream: FakeStream): TCPRelayHandler {
    return this.relay.fd_to_handlers.get(stream.fd) as TCPRelayHandler;
  }

  override [Symbol.dispose](): void {
    this.relay.destroy();
    super[Symbol.dispose]();
  }
}

/** The other end of an encrypted connection. */
export class CipherPeer implements Disposable {
  readonly #cryptor: Cryptor;
  #taken = 0;
  #rest: Uint8Array = new Uint8Array(0);
  /** What was decrypted so far. */
  plaintext: Uint8Array = new Uint8Array(0);

  constructor(suite: CipherSuite) {
    this.#cryptor = suite.newCryptor();
  }

  /** Encrypts; the first time with the salt in front. */
  seal(...plaintext: readonly Uint8Array[]): Uint8Array {
    const whole = concat(...plaintext);
    const out = new Uint8Array(this.#cryptor.encryptedLength(whole.length));
    return out.subarray(0, this.#cryptor.encrypt(whole, out));
  }

  /** Decrypts what a stream has sent since the last call. */
  open(sent: Uint8Array): Uint8Array {
    const data = concat(this.#rest, sent.subarray(this.#taken));
    this.#taken = sent.length;
    const out = new Uint8Array(data.length);
    const length = this.#cryptor.decrypt(data, out);
    if (length === DECRYPT_FAILED) throw new Error("not authentic");
    this.#rest = data.slice(this.#cryptor.consumed);
    this.plaintext = concat(this.plaintext, out.subarray(0, length));
    return this.plaintext;
  }

  /** Whether an end would be a clean one now. */
  get atBoundary(): boolean {
    return this.#cryptor.atBoundary(this.#rest.length);
  }

  [Symbol.dispose](): void {
    this.#cryptor[Symbol.dispose]();
  }
}

/** Seals chunks that an honest peer would never send. */
export class RawPeer implements Disposable {
  /** What stands in front of the first chunk. */
  readonly salt: Uint8Array = crypto.getRandomValues(
    new Uint8Array(SALT_LENGTH),
  );
  readonly #cipher: AeadCipher;
  readonly #key: AeadKey;
  readonly #nonce = new Uint8Array(12);

  constructor(suite: CipherSuite) {
    this.#cipher = PROVIDER.aead(suite.method);
    const { masterKey } = suite;
    this.#key = this.#cipher.sessionKey({ masterKey, salt: this.salt });
  }

  /** One chunk; `length` may differ from that of its payload. */
  chunk(payload: Uint8Array, length = payload.length): Uint8Array {
    return concat(
      this.#seal(Uint8Array.of(length >> 8, length & 0xff)),
      this.#seal(payload),
    );
  }

  #seal(plaintext: Uint8Array): Uint8Array {
    const out = new Uint8Array(plaintext.length + TAG_LENGTH);
    const { length } = plaintext;
    this.#key.sealPart(this.#nonce, {
      input: plaintext,
      start: 0,
      length,
      output: out,
      at: 0,
    });
    this.#nonce[0]!++;
    return out;
  }

  [Symbol.dispose](): void {
    this.#key[Symbol.dispose]();
    this.#cipher[Symbol.dispose]();
  }
}

/** The address header of a target: an IP literal or a name. */
export function header({ host, port }: HostPort): Uint8Array {
  const bytes = parseIp(host);
  const endpoint: Endpoint = bytes === undefined
    ? { domain: host, port }
    : { bytes, port };
  const out = new Uint8Array(addressLength(endpoint));
  writeAddress(out, 0, endpoint);
  return out;
}
