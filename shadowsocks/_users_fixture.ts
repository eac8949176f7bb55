/**
 * For tests: a port with users, and what its clients send.
 *
 * @module
 */

import type {
  AeadCipher,
  CipherMethod,
  CryptoProvider,
} from "../crypto/mod.ts";
import {
  encode,
  plainPacket,
  PROVIDERS,
  sealedPacket,
  Serving,
  TARGET,
} from "./_edition_fixture.ts";
import type { EditionClock } from "./clock.ts";
import type {
  Edition,
  PacketOpened,
  PacketRefused,
  ServerPackets,
} from "./edition.ts";
import {
  type EditionOptions,
  type EditionUser,
  openEdition,
} from "./open_edition.ts";
import type { ReplayMemory } from "./replay_memory.ts";
import type { ProviderSource } from "./suite.ts";
import { utf8 } from "../tests/support/bytes.ts";

/** Of the port, and of who has no method. */
export const METHOD = "aes-256-gcm";
/** What clients send. */
export const HELLO = utf8("hello");
/** `192.0.2.7:53`, where packets go. */
export const HEAD: Uint8Array = Uint8Array.of(1, 192, 0, 2, 7, 0, 53);
/** Where everything is opened and sealed. */
export const OUTPUT: Uint8Array = new Uint8Array(70_000);

/** `a` with the password of a, and so on. */
export function usersOf(names: string): EditionUser[] {
  return [...names].map((name) => ({ name, password: `password of ${name}` }));
}

/** The libraries, which count how often a key is tried. */
export class Tries implements ProviderSource {
  /** Milliseconds: a try takes 1 µs. */
  now = 0;
  #count = 0;

  /** Tries since the last call. */
  take(): number {
    const count = this.#count;
    this.#count = 0;
    return count;
  }

  async forMethod(method: CipherMethod): Promise<CryptoProvider> {
    const provider = await PROVIDERS.forMethod(method);
    return {
      name: provider.name,
      version: provider.version,
      supports: (method) => provider.supports(method),
      aead: (method) => this.#counted(provider.aead(method)),
      stream: (method) => provider.stream(method),
      blocks: (keyLength) => provider.blocks(keyLength),
      [Symbol.dispose]: () => {},
    };
  }

  #counted(cipher: AeadCipher): AeadCipher {
    return {
      importKey: (key) => cipher.importKey(key),
      sessionKey: (session) => cipher.sessionKey(session),
      sealOnce: (session, part) => cipher.sealOnce(session, part),
      openOnce: (session, part) => {
        this.#count++;
        this.now += 0.001;
        return cipher.openOnce(session, part);
      },
      [Symbol.dispose]: () => cipher[Symbol.dispose](),
    };
  }
}

/** A port whose clients come with what they have sealed. */
export class Port implements Disposable {
  readonly server: Edition;
  readonly packets: ServerPackets;

  constructor(server: Edition) {
    this.server = server;
    this.packets = server.newServerPackets();
  }

  /** Brings a connection; its user, or why it is refused. */
  connect(flight: Uint8Array, from?: string): string {
    using stream = this.server.newServerStream(undefined, from);
    const { answer, user } = new Serving(stream).feed(flight);
    if (answer?.kind === "refuse") return answer.reason;
    return answer?.kind === "request" ? `user ${user}` : "more";
  }

  /** Brings a packet; its user, or why it is dropped. */
  send(sealed: Uint8Array, from?: string): string {
    const opened = this.#open(sealed, from);
    return "refused" in opened ? opened.reason : `user ${opened.user}`;
  }

  /** Brings a packet that is not refused. */
  opened(sealed: Uint8Array): PacketOpened {
    const opened = this.#open(sealed);
    if ("refused" in opened) throw new Error(opened.reason);
    return opened;
  }

  [Symbol.dispose](): void {
    this.packets[Symbol.dispose]();
    this.server[Symbol.dispose]();
  }

  #open(sealed: Uint8Array, from?: string): PacketOpened | PacketRefused {
    return this.packets.open(sealedPacket(sealed), OUTPUT, from);
  }
}

/** How a port differs from one with the users a, b and c. */
export interface Given extends Partial<EditionOptions> {
  readonly memory?: ReplayMemory;
  readonly clock?: EditionClock;
  readonly tries?: Tries;
}

/** Opens a port. */
export async function newPort(given: Given = {}): Promise<Port> {
  const { memory: replayMemory, clock, tries, ...options } = given;
  const defaults = { method: METHOD, password: "", users: usersOf("abc") };
  const providers = tries ?? PROVIDERS;
  const context = { providers, replayMemory, clock };
  return new Port(await openEdition({ ...defaults, ...options }, context));
}

/** The client of a user. */
export function clientOf(
  name: string,
  options: Partial<EditionOptions> = {},
): Promise<Edition> {
  const password = `password of ${name}`;
  const own = { method: METHOD, password, ...options };
  return openEdition(own, { providers: PROVIDERS });
}

/** What a connection of a user begins with. */
export async function flightOf(
  name: string,
  options?: Partial<EditionOptions>,
): Promise<Uint8Array> {
  using client = await clientOf(name, options);
  using stream = client.newClientStream(TARGET);
  return encode(stream, HELLO);
}

/** A packet of a user. */
export async function packetOf(
  name: string,
  options?: Partial<EditionOptions>,
): Promise<Uint8Array> {
  using client = await clientOf(name, options);
  using packets = client.newClientPackets();
  const packet = plainPacket(HEAD, HELLO);
  return OUTPUT.slice(0, packets.seal(packet, OUTPUT));
}
