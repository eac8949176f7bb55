/**
 * The server's side of connections and packets of a port with many users: the
 * key that opens the first bytes says whose they are; the rest is as with one
 * user.
 *
 * @module
 */

import { ClassicServerPackets } from "./_classic_packets.ts";
import { ClassicServerStream } from "./_classic_server.ts";
import type { TrialBudget } from "./_trial_budget.ts";
import type { KeyTrial, PortUser, UserTable } from "./_user_table.ts";
import { DECRYPT_FAILED } from "./cryptor.ts";
import {
  NOT_SENDABLE,
  type PacketBytes,
  type PacketOpened,
  type PacketRefused,
  type ServerAnswer,
  type ServerPackets,
  type ServerStream,
  type ServerStreamListener,
} from "./edition.ts";

/**
 * Bytes of a length and of its tag (SIP004), which follow the salt: the least
 * that shows whose a connection is.
 */
const SEALED_LENGTH = 2 + 16;
/** A buffer as long as those of which libraries remember the places. */
const HEAD_BUFFER = 4096;
/**
 * Keys that are tried for a packet of a stranger when there is no time for all:
 * those of who is active now.
 */
const FEW = 16;

const MORE: ServerAnswer = Object.freeze({ kind: "more", consumed: 0 });
const REFUSED: ServerAnswer = Object.freeze({
  kind: "refuse",
  status: "auth_failed",
  reason: "authentication error",
});
const PACKET_REFUSED: PacketRefused = Object.freeze({
  refused: "auth_failed",
  reason: "authentication error",
});
/** Not every key was tried, so nobody can say that it is a wrong one. */
const NOT_TRIED: PacketRefused = Object.freeze({
  refused: "error",
  reason: "too many strangers",
});

/** Finds the user of a connection; all connections of a port share it. */
export class HeadTrial implements KeyTrial {
  /** Bytes that must be there: of the longest salt, whoever it is. */
  readonly length: number;
  readonly #table: UserTable;
  readonly #head = new Uint8Array(HEAD_BUFFER);

  /**
   * Makes the trial of a port.
   *
   * @param table The users.
   */
  constructor(table: UserTable) {
    const salts = table.users.map(({ port }) => port.suite.method.saltLength);
    this.#table = table;
    this.length = Math.max(...salts) + SEALED_LENGTH;
  }

  /**
   * Finds whose connection it is.
   *
   * @param data What has come: `length` bytes at least.
   * @param from The client's IP address.
   * @returns The user; undefined: a stranger.
   */
  find(data: Uint8Array, from: string | undefined): PortUser | undefined {
    for (let i = 0; i < this.length; i++) this.#head[i] = data[i]!;
    return this.#table.find(this, from);
  }

  /**
   * Remembers where a user was.
   *
   * @param user Whose connection was authentic, and is no replay.
   * @param from The client's IP address.
   */
  learn(user: PortUser, from: string | undefined): void {
    this.#table.learn(user, from);
  }

  /**
   * Tries a key.
   *
   * @param user Whose key.
   */
  opens({ port }: PortUser): boolean {
    return port.suite.opensHead(this.#head);
  }

  /** A connection is searched for once, among all. */
  limit(): number {
    return Infinity;
  }
}

/** One connection of a server. */
export class UsersServerStream implements ServerStream {
  readonly #trial: HeadTrial;
  readonly #listener: ServerStreamListener | undefined;
  /** The client's address, until the request is there. */
  #from: string | undefined;
  /** Whose key has opened the first bytes, until the request is there. */
  #user: PortUser | undefined;
  /** The user's; undefined until the user is known. */
  #stream: ClassicServerStream | undefined;
  #isRefused = false;

  /**
   * Makes the state of one connection.
   *
   * @param trial Finds its user.
   * @param listener Told of chunks that were dropped.
   * @param from The client's IP address.
   */
  constructor(
    trial: HeadTrial,
    listener: ServerStreamListener | undefined,
    from: string | undefined,
  ) {
    this.#trial = trial;
    this.#listener = listener;
    this.#from = from;
  }

  /** Bytes of its input that the last call has used. */
  get consumed(): number {
    return this.#stream?.consumed ?? 0;
  }

  /** Whether received bytes were wrong: nothing more will come out. */
  get failed(): boolean {
    return this.#isRefused || this.#stream?.failed === true;
  }

  /** Whether the salt of the answer has still to be sent. */
  get headPending(): boolean {
    return this.#stream?.headPending === true;
  }

  /**
   * Tells whether the end of what the peer sends would be a clean one now.
   *
   * @param leftover Bytes that the caller keeps for the next `decode`.
   */
  atBoundary(leftover: number): boolean {
    return this.#stream?.atBoundary(leftover) === true;
  }

  /**
   * Takes bytes until the header is whole and authentic.
   *
   * @param data Bytes that came and were not consumed yet.
   * @param output Room for what is decoded.
   * @returns What they are.
   */
  receive(data: Uint8Array, output: Uint8Array): ServerAnswer {
    const stream = this.#stream ?? this.#find(data);
    if (stream === undefined) return this.#isRefused ? REFUSED : MORE;
    const answer = stream.receive(data, output);
    if (answer.kind === "request") this.#learn();
    return answer;
  }

  /**
   * Turns received bytes into payload; see `SideCodec.decode`.
   *
   * @param input Received bytes, at the start of a buffer.
   * @param output Takes the payload.
   * @param length How many bytes of `input`.
   * @returns Bytes of payload, or {@linkcode DECRYPT_FAILED}.
   */
  decode(input: Uint8Array, output: Uint8Array, length: number): number {
    return this.#stream?.decode(input, output, length) ?? DECRYPT_FAILED;
  }

  /**
   * Turns payload into bytes for the peer; see `SideCodec.encode`.
   *
   * @param input The payload, at the start of a buffer.
   * @param output Takes the bytes.
   * @param length How many bytes of payload.
   * @returns How many bytes for the peer; 0 while nobody knows whose key to
   * take.
   */
  encode(input: Uint8Array, output: Uint8Array, length: number): number {
    return this.#stream?.encode(input, output, length) ?? 0;
  }

  /**
   * Makes an end behind it no clean one; see `SideCodec.cut`.
   *
   * @param output Takes the bytes.
   * @returns How many.
   */
  cut(output: Uint8Array): number {
    return this.#stream?.cut(output) ?? 0;
  }

  /** Wipes the session keys and frees native memory. */
  [Symbol.dispose](): void {
    this.#stream?.[Symbol.dispose]();
    this.#isRefused = true;
  }

  /** Whose connection it is; undefined: a stranger's, or too little is there. */
  #find(data: Uint8Array): ClassicServerStream | undefined {
    if (this.#isRefused || data.length < this.#trial.length) return undefined;
    const user = this.#user = this.#trial.find(data, this.#from);
    if (user === undefined) this.#isRefused = true;
    else this.#stream = new ClassicServerStream(user.port, this.#listener);
    return this.#stream;
  }

  /** The key alone is not enough: whoever sends a flight again has none. */
  #learn(): void {
    if (this.#user !== undefined) this.#trial.learn(this.#user, this.#from);
    this.#user = this.#from = undefined;
  }
}

/** The packets of a listener. */
export class UsersServerPackets implements ServerPackets, KeyTrial {
  readonly #table: UserTable;
  readonly #budget: TrialBudget;
  /** By the index of the user. */
  readonly #packets: readonly ClassicServerPackets[];
  /** What is tried now. */
  #packet: PacketBytes | undefined;
  #output = new Uint8Array(0) as Uint8Array;
  #opened: PacketOpened | PacketRefused = PACKET_REFUSED;
  /** Whether the time that is spent now is the budget's. */
  #isCounted = false;

  /**
   * Makes the codec of one listener.
   *
   * @param table The users.
   * @param budget What strangers may cost.
   */
  constructor(table: UserTable, budget: TrialBudget) {
    this.#table = table;
    this.#budget = budget;
    this.#packets = table.users.map(({ port }) =>
      new ClassicServerPackets(port)
    );
  }

  /**
   * Opens a client's packet into `output`; see `ServerPackets.open`.
   *
   * @param packet What was received.
   * @param output Takes the address header and the payload.
   * @param from The client's IP address.
   * @returns What it asks for, or why it is to be dropped.
   */
  open(
    packet: PacketBytes,
    output: Uint8Array,
    from?: string,
  ): PacketOpened | PacketRefused {
    this.#packet = packet;
    this.#output = output;
    this.#opened = PACKET_REFUSED;
    const user = this.#table.find(this, from);
    const isTaken = !("refused" in this.#opened);
    if (isTaken && user !== undefined) this.#table.learn(user, from);
    if (this.#isCounted) {
      this.#isCounted = false;
      this.#budget.stop();
    }
    return this.#opened;
  }

  /**
   * Tries a key.
   *
   * @param user Whose key.
   */
  opens({ index }: PortUser): boolean {
    const opened = this.#packets[index]!.open(this.#packet!, this.#output);
    if ("refused" in opened) {
      const { reason } = opened;
      if (reason === "authentication error") return false;
      this.#opened = opened;
      // Too long for this method; another one may have a longer salt.
      return reason !== "too long";
    }
    this.#opened = opened;
    return true;
  }

  /** How many keys may be tried for a packet of an address that is not known. */
  limit(): number {
    const count = this.#packets.length;
    if (count <= FEW) return count;
    this.#isCounted = this.#budget.start();
    if (this.#isCounted) return count;
    this.#opened = NOT_TRIED;
    return FEW;
  }

  /**
   * Seals an answer with the key of its user.
   *
   * @param packet The payload, with an address header in front.
   * @param state What `open` gave.
   * @param output Takes the sealed packet.
   * @returns Bytes in `output`, or {@linkcode NOT_SENDABLE}.
   */
  seal(packet: PacketBytes, state: unknown, output: Uint8Array): number {
    return state instanceof ClassicServerPackets
      ? state.seal(packet, undefined, output)
      : NOT_SENDABLE;
  }

  /** Frees nothing: a packet leaves nothing behind. */
  [Symbol.dispose](): void {}
}
