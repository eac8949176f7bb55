/**
 * The 2022 edition (SIP022), with identity headers (SIP023). Loaded only where
 * a method of it is used.
 *
 * ```text
 * request   salt ‖ identity header … ‖ seal(type 0, time, length) ‖
 *           seal(address, padding, first payload) ‖ chunk …
 * answer    salt ‖ seal(type 1, time, salt of the request, length) ‖
 *           seal(first payload) ‖ chunk …
 * ```
 *
 * @module
 */

import {
  CipherError,
  type CipherMethod,
  type CryptoProvider,
  findMethod,
  hasIdentityHeaders,
} from "../crypto/mod.ts";
import { parsePsk, parsePskChain } from "../crypto/psk.ts";
import type { Endpoint } from "../socks5/mod.ts";
import { Sip022ClientPackets } from "./_sip022_client_packets.ts";
import { Sip022ClientStream } from "./_sip022_client.ts";
import { pskHash, pskHashText } from "./_sip022_keys.ts";
import { Sip022Port } from "./_sip022_port.ts";
import { Sip022ServerPackets } from "./_sip022_server_packets.ts";
import { Sip022ServerStream } from "./_sip022_server.ts";
import { newUser, type Sip022User } from "./_sip022_users.ts";
import { type EditionClock, SYSTEM_CLOCK } from "./clock.ts";
import type {
  ClientPackets,
  ClientStream,
  Edition,
  ServerPackets,
  ServerStream,
} from "./edition.ts";
import { ReplayMemory } from "./replay_memory.ts";

/** A user as the configuration has it. */
export interface Sip022UserOptions {
  /** The name, not empty. */
  readonly name: string;
  /** The user's key in base64. */
  readonly password: string;
  /**
   * The server behind this one that has the key (SIP023): requests that name it
   * are passed on to it, without their first identity header. Default: this
   * server has it.
   */
  readonly next?: { readonly host: string; readonly port: number } | undefined;
}

/** What an edition is made from. */
export interface Sip022Options {
  /** The method. */
  readonly method: CipherMethod;
  /** A client's `iPSK:…:uPSK`; a server's key. */
  readonly password: string;
  /**
   * A server's users: then `password` is its identity key. Undefined or empty:
   * there are none, and whoever has the key is served.
   */
  readonly users?: readonly Sip022UserOptions[] | undefined;
}

/** What it shares with others. */
export interface Sip022Context {
  /** The library that has the method. */
  readonly provider: CryptoProvider;
  /** The library that has XChaCha20-Poly1305; needed by the ChaCha methods. */
  readonly packetProvider?: CryptoProvider | undefined;
  /** Where salts are remembered. Default: one of its own. */
  readonly memory?: ReplayMemory | undefined;
  /** What time it is. Default: the system's. */
  readonly clock?: EditionClock | undefined;
}

/** The cipher of packets where the method has no AES (SIP022, section 4). */
const PACKET_CIPHER = "xchacha20-ietf-poly1305";

/**
 * Tells which method's library is the {@linkcode Sip022Context.packetProvider}.
 *
 * @param method The method.
 * @returns The method of packets; undefined: its own.
 */
export function packetMethod(method: CipherMethod): CipherMethod | undefined {
  return hasIdentityHeaders(method) ? undefined : findMethod(PACKET_CIPHER);
}

/**
 * Makes the edition of a key.
 *
 * @param options Method and keys.
 * @param context What it shares with others; the libraries must outlive it.
 * @returns The edition.
 * @throws {CipherError} `bad_key`, if a text is no key of the method, if two
 * users have one name or one key, or one has no name or the server's key; or if
 * a library refuses.
 */
export async function openSip022(
  options: Sip022Options,
  context: Sip022Context,
): Promise<Sip022Edition> {
  const { method, password, users = [] } = options;
  const { keys, problem } = parsePskChain(password, method);
  if (keys === undefined) {
    throw badKey(`Cannot use a key of ${method.name}: ${problem}`);
  }
  const named = users.length === 0
    ? undefined
    : readUsers(method, users, keys.at(-1)!);
  const { provider, packetProvider, clock = SYSTEM_CLOCK } = context;
  const memory = context.memory ?? ReplayMemory.inMemory();
  const packets = packetMethod(method);
  const blocks = packets === undefined
    ? await provider.blocks(method.keyLength)
    : undefined;
  const packetCipher = packets && packetProvider?.aead(packets);
  const cipher = provider.aead(method);
  const port = new Sip022Port({
    method,
    keys,
    users: named,
    cipher,
    packetCipher,
    blocks,
    memory,
    clock,
  });
  return new Sip022Edition(port, provider.version);
}

/**
 * The users with their keys, once it is sure that each can be told.
 *
 * @param identity The key of the server itself, which all of them know.
 */
function readUsers(
  method: CipherMethod,
  users: readonly Sip022UserOptions[],
  identity: Uint8Array,
): Sip022User[] {
  if (!hasIdentityHeaders(method)) {
    throw badKey(
      `Cannot have users with ${method.name}: it has no identity headers`,
    );
  }
  const names = new Set<string>();
  /** Who has a key, by the text of its hash. */
  const owners = new Map([[pskHashText(pskHash(identity)), "the server"]]);
  return users.map((options) => {
    const user = readUser(method, options);
    const { name, hash } = user;
    if (name === "") throw badKey("Cannot serve users: one has no name");
    const shown = JSON.stringify(name);
    if (names.has(name)) {
      throw badKey(`Cannot serve users: two have the name ${shown}`);
    }
    names.add(name);
    const text = pskHashText(hash);
    const owner = owners.get(text);
    if (owner !== undefined) {
      throw badKey(
        `Cannot serve users: ${owner} and ${shown} have the same key`,
      );
    }
    owners.set(text, shown);
    return user;
  });
}

function readUser(
  method: CipherMethod,
  { name, password, next }: Sip022UserOptions,
): Sip022User {
  const shown = JSON.stringify(name);
  const { key, problem } = parsePsk(password, method);
  if (key === undefined) {
    throw badKey(`Cannot use the key of user ${shown}: ${problem}`);
  }
  try {
    return newUser(name, key, next && { domain: next.host, port: next.port });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw badKey(`Cannot use the server of user ${shown}: ${error.message}`);
  }
}

function badKey(message: string): CipherError {
  return new CipherError("bad_key", message);
}

/** The 2022 edition with the key or the users of one port or server. */
export class Sip022Edition implements Edition {
  readonly method: CipherMethod;
  readonly providerVersion: string;
  readonly authenticates = true;
  readonly #port: Sip022Port;

  /**
   * Makes the edition of a port; {@linkcode openSip022} does.
   *
   * @param port Ciphers and keys; becomes the edition's own.
   * @param providerVersion The library that does the work.
   */
  constructor(port: Sip022Port, providerVersion: string) {
    this.method = port.method;
    this.providerVersion = providerVersion;
    this.#port = port;
  }

  /**
   * Starts a client's connection.
   *
   * @param target What is asked for.
   * @returns Its codec; must not outlive the edition.
   * @throws {RangeError} If the target cannot be written as an address header.
   */
  newClientStream(target: Endpoint): ClientStream {
    return new Sip022ClientStream(this.#port, target);
  }

  /**
   * Starts a server's connection.
   *
   * @returns Its state; must not outlive the edition.
   */
  newServerStream(): ServerStream {
    return new Sip022ServerStream(this.#port);
  }

  /**
   * Starts a client's association.
   *
   * @returns Its codec; must not outlive the edition.
   */
  newClientPackets(): ClientPackets {
    return new Sip022ClientPackets(this.#port);
  }

  /**
   * Starts a listener's datagrams.
   *
   * @param associations How many there are at most.
   * @returns Their codec; must not outlive the edition.
   */
  newServerPackets(associations?: number): ServerPackets {
    return new Sip022ServerPackets(this.#port, associations);
  }

  /**
   * Takes other users. Connections that live go on under the key that they
   * began with.
   *
   * @param users All of them; with none nobody is served any more.
   * @throws {CipherError} `bad_key`, as {@linkcode openSip022} has it; then
   * nothing has changed.
   */
  setUsers(users: readonly Sip022UserOptions[]): void {
    this.#port.setUsers(readUsers(this.method, users, this.#port.psk));
  }

  /** Frees the ciphers and wipes the keys. */
  [Symbol.dispose](): void {
    this.#port[Symbol.dispose]();
  }
}
