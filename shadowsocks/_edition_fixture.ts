/**
 * For tests: every edition with every library of this machine, and both sides
 * of a connection as a relay drives them.
 *
 * @module
 */

import {
  type BlockCipher,
  CipherError,
  type CipherMethod,
  type CryptoProvider,
  deriveKey,
  findMethod,
  openProviders,
} from "../crypto/mod.ts";
import type { DomainEndpoint, Endpoint } from "../socks5/mod.ts";
import { Sip022Port } from "./_sip022_port.ts";
import { newUser } from "./_sip022_users.ts";
import { ClassicEdition } from "./classic_edition.ts";
import { type EditionClock, SYSTEM_CLOCK } from "./clock.ts";
import {
  DECRYPT_FAILED,
  type Edition,
  PACKET_ROOM,
  type PacketBytes,
  type ServerAnswer,
  type ServerStream,
  type SideCodec,
} from "./edition.ts";
import { ReplayMemory } from "./replay_memory.ts";
import { packetMethod, Sip022Edition } from "./sip022_edition.ts";
import { CipherSuite } from "./suite.ts";
import { UsersEdition } from "./users_edition.ts";
import { concat } from "../tests/support/bytes.ts";

/** One of each framing, nonce and salt length. */
const METHODS = [
  "aes-128-gcm",
  "aes-256-gcm",
  "chacha20-ietf-poly1305",
  "xchacha20-ietf-poly1305",
  "aes-256-cfb",
  "chacha20-ietf",
  "rc4-md5",
  "rc4",
  "table",
  "2022-blake3-aes-128-gcm",
  "2022-blake3-aes-256-gcm",
  "2022-blake3-chacha20-poly1305",
];
const LIBRARIES = ["openssl", "sodium", "mbedtls", "portable"];
const PASSWORD = "correct horse";

/** A name, the longest header's kind. */
export const TARGET: Endpoint = { domain: "example.com", port: 443 };
/** Salts shorter than this are not remembered. */
const MIN_REMEMBERED = 8;

/** An edition to test. */
export interface Row {
  /** For the name of a step. */
  readonly name: string;
  /** The method. */
  readonly method: CipherMethod;
  /** Whether clients send one-time authentication, and servers require it. */
  readonly oneTimeAuth: boolean;
  /** Whether it is the 2022 edition. */
  readonly is2022: boolean;
  /** Whether wrong bytes are noticed. */
  readonly isAead: boolean;
  /** Whether salts are long enough to be remembered. */
  readonly remembers: boolean;
  /** The library. */
  readonly provider: CryptoProvider;
  /** AES of single blocks, for the 2022 edition. */
  readonly blocks: BlockCipher | undefined;
  /** The library of the 2022 edition's packets, where that is another. */
  readonly packetProvider: CryptoProvider | undefined;
  /** The user's name where the server has others beside; else there is one. */
  readonly user?: string;
}

/** Opened outside of a test: native libraries stay loaded. */
export const PROVIDERS = await openProviders();

/** Every edition, with and without one-time authentication. */
export const ROWS: readonly Row[] = await rows();

async function rows(): Promise<Row[]> {
  const found: Row[] = [];
  for (const name of METHODS) {
    const method = findMethod(name)!;
    for (const library of LIBRARIES) {
      const provider = await libraryFor(method, library);
      if (provider === undefined) continue;
      const is2022 = method.edition === "2022";
      const packets = is2022 ? packetMethod(method) : undefined;
      const blocks = is2022 && packets === undefined
        ? await provider.blocks(method.keyLength)
        : undefined;
      const packetProvider = packets && await PROVIDERS.forMethod(packets);
      for (const oneTimeAuth of is2022 ? [false] : [false, true]) {
        const suffix = oneTimeAuth ? ", one-time authentication" : "";
        const row: Row = {
          name: `${name} of ${library}${suffix}`,
          method,
          oneTimeAuth,
          is2022,
          isAead: method.kind === "aead",
          remembers: method.saltLength >= MIN_REMEMBERED,
          provider,
          blocks,
          packetProvider,
        };
        found.push(row);
        // ChaCha of 2022 has no identity headers.
        if (!row.isAead || packets !== undefined) continue;
        found.push({ ...row, name: `${row.name}, users`, user: "carol" });
      }
    }
  }
  return found;
}

async function libraryFor(
  method: CipherMethod,
  provider: string,
): Promise<CryptoProvider | undefined> {
  try {
    return await PROVIDERS.forMethod({ ...method, provider });
  } catch (error) {
    if (error instanceof CipherError) return undefined;
    throw error;
  }
}

/** What an edition of a test is made with. */
export interface EditionSetup {
  readonly password?: string | undefined;
  readonly oneTimeAuth?: boolean | undefined;
  /** Of the 2022 edition. */
  readonly clock?: EditionClock | undefined;
  /** Of the 2022 edition: keys from these passwords, in front. */
  readonly identities?: readonly string[] | undefined;
  /** Of the 2022 edition, each with the key made from its name. */
  readonly users?: readonly string[] | undefined;
  /** By a user's name the server that has the key. */
  readonly next?: Readonly<Record<string, DomainEndpoint>> | undefined;
  readonly memory?: ReplayMemory | undefined;
}

/** Makes the suite of a row. */
export function newSuite(row: Row, password = PASSWORD): CipherSuite {
  return new CipherSuite(row.method, password, row.provider);
}

/** Makes an edition of a row. */
export function newEdition(row: Row, setup: EditionSetup = {}): Edition {
  const { password = PASSWORD, oneTimeAuth, memory } = setup;
  if (!row.is2022) {
    return new ClassicEdition(newSuite(row, password), oneTimeAuth, memory);
  }
  const { method, provider, blocks, packetProvider } = row;
  const { clock = SYSTEM_CLOCK, identities = [], users, next } = setup;
  // Any text will do for a key here.
  const keyOf = (text: string): Uint8Array => deriveKey(text, method.keyLength);
  const packets = packetMethod(method);
  const port = new Sip022Port({
    method,
    keys: [...identities, password].map(keyOf),
    users: users?.map((name) => newUser(name, keyOf(name), next?.[name])),
    cipher: provider.aead(method),
    packetCipher: packets && packetProvider?.aead(packets),
    blocks: blocks && {
      importKey: (key) => blocks.importKey(key),
      [Symbol.dispose]: () => {},
    },
    memory: memory ?? ReplayMemory.inMemory(),
    clock,
  });
  return new Sip022Edition(port, provider.version);
}

/** A server on which the row's client is the last but one of several users. */
function newUsers(row: Row, user: string, options: {
  readonly serverPassword: string | undefined;
  readonly required: boolean;
}): Edition {
  const first = newSuite(row, "of alice");
  const suiteOf = (password?: string) =>
    new CipherSuite(row.method, password ?? PASSWORD, first);
  return new UsersEdition([
    { name: "alice", suite: first },
    { name: "bob", suite: suiteOf("of bob") },
    { name: user, suite: suiteOf(options.serverPassword) },
    { name: "", suite: suiteOf("of nobody") },
  ], { oneTimeAuth: options.required });
}

/** The two ends of a row, each with a memory of its own. */
export class Ends implements Disposable {
  readonly client: Edition;
  readonly server: Edition;

  constructor(row: Row, options: {
    readonly serverPassword?: string;
    readonly required?: boolean;
  } = {}) {
    const { serverPassword, required = row.oneTimeAuth } = options;
    const { user } = row;
    const oneTimeAuth = required;
    if (user !== undefined && row.is2022) {
      const identities = ["main"];
      const users = ["alice", "bob", user];
      this.client = newEdition(row, { password: user, identities });
      const password = serverPassword ?? "main";
      this.server = newEdition(row, { password, users });
      return;
    }
    this.client = newEdition(row, { oneTimeAuth: row.oneTimeAuth });
    this.server = user === undefined
      ? newEdition(row, { password: serverPassword, oneTimeAuth })
      : newUsers(row, user, { serverPassword, required });
  }

  [Symbol.dispose](): void {
    this.client[Symbol.dispose]();
    this.server[Symbol.dispose]();
  }
}

/** Encodes in one go, with the room that the contract promises. */
export function encode(
  codec: SideCodec,
  payload: Uint8Array = new Uint8Array(0),
): Uint8Array<ArrayBuffer> {
  const { length } = payload;
  const output = new Uint8Array(length + (length >> 3) + 8192);
  return output.slice(0, codec.encode(payload, output, length));
}

/** Where everything is decoded to. */
const OUTPUT = new Uint8Array(256 * 1024);

/** Decodes pieces as a relay does: what is left over goes in front. */
export class Decoding {
  /** What has come out. */
  payload: Uint8Array = new Uint8Array(0);
  /** What waits for the rest of its frame. */
  leftover: Uint8Array = new Uint8Array(0);
  /** Whether a call has failed. */
  failed = false;
  readonly codec: SideCodec;

  constructor(codec: SideCodec) {
    this.codec = codec;
  }

  /** Takes the next bytes. */
  feed(...pieces: readonly Uint8Array[]): this {
    for (const piece of pieces) this.#decode(concat(this.leftover, piece));
    return this;
  }

  /** Whether an end would be a clean one now. */
  get atBoundary(): boolean {
    return this.codec.atBoundary(this.leftover.length);
  }

  #decode(data: Uint8Array): void {
    const count = this.codec.decode(data, OUTPUT, data.length);
    if (count === DECRYPT_FAILED) {
      this.failed = true;
      return;
    }
    this.payload = concat(this.payload, OUTPUT.subarray(0, count));
    this.leftover = data.slice(this.codec.consumed);
  }
}

/** The server's side: the handshake, then a {@linkcode Decoding}. */
export class Serving {
  /** The last answer of `receive`. */
  answer: ServerAnswer | undefined;
  /** The host asked for; `""` before. */
  host = "";
  /** The user's name. */
  user = "";
  /** How many pieces were given until the answer. */
  pieces = 0;
  readonly stream: ServerStream;
  readonly decoding: Decoding;

  constructor(stream: ServerStream) {
    this.stream = stream;
    this.decoding = new Decoding(stream);
  }

  /** What has come out. */
  get payload(): Uint8Array {
    return this.decoding.payload;
  }

  /** Takes the next bytes. */
  feed(...pieces: readonly Uint8Array[]): this {
    for (const piece of pieces) {
      if (this.answer === undefined || this.answer.kind === "more") {
        this.#receive(concat(this.decoding.leftover, piece));
      } else if (this.answer.kind === "request") this.decoding.feed(piece);
    }
    return this;
  }

  #receive(data: Uint8Array): void {
    const { decoding } = this;
    this.pieces++;
    const answer = this.answer = this.stream.receive(data, OUTPUT);
    if (answer.kind === "refuse") return;
    decoding.leftover = data.slice(answer.consumed);
    if (answer.kind === "more") return;
    this.host = answer.address.domain;
    this.user = answer.user;
    decoding.payload = answer.payload.slice();
    const rest = decoding.leftover;
    decoding.leftover = new Uint8Array(0);
    if (rest.length > 0) decoding.feed(rest);
  }
}

/** One connection of a client that the server has taken. */
export class Connection implements Disposable {
  readonly client: SideCodec;
  readonly serving: Serving;
  readonly answers: Decoding;

  constructor({ client, server }: Ends, firstPayload?: Uint8Array) {
    this.client = client.newClientStream(TARGET);
    this.serving = new Serving(server.newServerStream());
    this.answers = new Decoding(this.client);
    this.serving.feed(encode(this.client, firstPayload));
  }

  [Symbol.dispose](): void {
    this.client[Symbol.dispose]();
    this.serving.stream[Symbol.dispose]();
  }
}

/** A packet as a relay has it before it is sealed. */
export function plainPacket(head: Uint8Array, data: Uint8Array): PacketBytes {
  const bytes = new Uint8Array(PACKET_ROOM + data.length);
  const start = PACKET_ROOM;
  bytes.set(head, start - head.length);
  bytes.set(data, start);
  return { bytes, start, end: bytes.length, head: start - head.length };
}

/** A packet as a relay has received it. */
export function sealedPacket(sealed: Uint8Array): PacketBytes {
  const bytes = new Uint8Array(PACKET_ROOM + sealed.length + 5);
  bytes.set(sealed, PACKET_ROOM);
  const end = PACKET_ROOM + sealed.length;
  return { bytes, start: PACKET_ROOM, end, head: -1 };
}

/** What stands between the head and the end of an opened packet. */
export function contentOf({ bytes, head, start, end }: PacketBytes): {
  readonly head: Uint8Array;
  readonly data: Uint8Array;
} {
  return { head: bytes.slice(head, start), data: bytes.slice(start, end) };
}
