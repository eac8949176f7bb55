/**
 * The contract of every edition: one wire protocol of shadowsocks, with the
 * method and the key of one port or server. Bytes in, values out.
 *
 * ```text
 *            connection                           datagrams
 * client     newClientStream(target)              newClientPackets()
 *            encode · decode                      seal · open
 * server     newServerStream()                    newServerPackets()
 *            receive … then encode · decode       open · seal
 * ```
 *
 * An edition holds what all connections of its key share: the cipher, the key,
 * the memory of salts. Whatever differs between protocols is behind these
 * members: how keys are made, which user a request belongs to, whether an
 * answer repeats the salt of its request, how packets are numbered.
 *
 * Bytes that were received never make a member throw.
 *
 * @module
 */

import type { CipherMethod } from "../crypto/mod.ts";
import type { Endpoint, ParsedAddress } from "../socks5/mod.ts";

export { DECRYPT_FAILED } from "./_framing.ts";

/**
 * Where an opened packet begins in its output: as much stays free in front of
 * it as the longest address header (259 bytes, RFC 1928, section 5) and what
 * SOCKS5 puts before that (3) need. The relay's `PACKET_ROOM` is the same; a test
 * in `tests/relay` sees to it.
 */
export const PACKET_ROOM = 288;

/**
 * The answer of a `seal` for a packet that is sent as it is, from `start` to
 * `end`; the relay's too.
 */
export const SEALED_IN_PLACE: number = -1;

/** The answer of a `seal` for a packet that cannot be sent; the relay's too. */
export const NOT_SENDABLE: number = -2;

/**
 * Both directions of one side of a connection; a `StreamCodec` of the relay.
 * It keeps no received bytes of an unfinished frame: the caller gives them
 * again in front of those that follow. (The one exception is one-time
 * authentication, whose chunks are decrypted before they are whole.)
 */
export interface SideCodec extends Disposable {
  /**
   * Turns received bytes into payload.
   *
   * @param input Received bytes, at the start of a buffer. The same buffers
   * again and again are the cheapest.
   * @param output Takes the payload: `length` bytes, of a server that may meet
   * one-time authentication 64 KiB more, since a chunk of that is delivered
   * with the call that completes it. Does not overlap `input`.
   * @param length How many bytes of `input`.
   * @returns Bytes of payload, or `DECRYPT_FAILED` if there are none and none
   * will come. What is right before a wrong byte is still delivered; then
   * {@linkcode SideCodec.failed} is set.
   */
  decode(input: Uint8Array, output: Uint8Array, length: number): number;
  /** How many bytes of its input the last `decode` has used. */
  readonly consumed: number;
  /** True once received bytes were wrong: nothing more will come out. */
  readonly failed: boolean;
  /**
   * Why, if it is that the clocks differ too much: how many seconds that of the
   * peer is ahead of ours. Absent or undefined: for another reason.
   */
  readonly skew?: number | undefined;
  /**
   * Turns payload into bytes for the peer; the first call puts the head in
   * front.
   *
   * @param input The payload, at the start of a buffer.
   * @param output Takes the bytes: `length` and an eighth, and 8 KiB more; does
   * not overlap `input`.
   * @param length How many bytes of payload; 0 asks for the head alone.
   * @returns How many bytes for the peer.
   */
  encode(input: Uint8Array, output: Uint8Array, length: number): number;
  /**
   * True while something must be sent even if no payload comes: a client's
   * address header, or the salt of an empty answer.
   */
  readonly headPending: boolean;
  /**
   * Makes bytes behind which the end of the connection is no clean one, for
   * systems that cannot reset it: a frame that stays incomplete.
   *
   * @param output Takes them.
   * @returns How many; 0: there are no frames. Absent: 0.
   */
  cut?(output: Uint8Array): number;
  /**
   * Tells whether the end of what the peer sends would be a clean one now.
   *
   * @param leftover Bytes that the caller keeps for the next `decode`.
   * @returns False inside a frame, after a failure, and before the peer's salt
   * is whole, so also if nothing has been received.
   */
  atBoundary(leftover: number): boolean;
}

/**
 * How the session of a refused client ends; each is a `Status` of the relay.
 *
 * - `auth_failed`: the key or password is wrong, or a proof is missing.
 * - `replay`: it was served before.
 * - `skew`: the clocks differ too much.
 * - `error`: the client has the key, but asks for nothing that can be served.
 */
export type ServerRefusal = "auth_failed" | "replay" | "skew" | "error";

/** Why a client is refused, in constant words: never a byte that it sent. */
export type RefusalReason =
  /** A tag is wrong, or a length out of bounds. */
  | "authentication error"
  /** The address type does not exist. */
  | "invalid address type"
  /** The name in the address is empty or not printable, or cut (packets). */
  | "invalid address"
  /** The tag of one-time authentication is wrong. */
  | "one time auth failed"
  /** The packet has no room for the tag of one-time authentication. */
  | "one time auth is too short"
  /** One-time authentication is required, and was not used. */
  | "one time auth is required"
  /** The salt was seen before. */
  | "replay"
  /** More packets of strangers come than keys can be tried for. */
  | "too many strangers"
  /** There is no room for what was received. */
  | "too long"
  /** The first bytes that came are fewer than the head of the 2022 edition. */
  | "too short"
  /** A head of the 2022 edition is none of a request, or does not end in time. */
  | "invalid header"
  /** Both clocks differ by more than the 2022 edition allows. */
  | "clock skew";

/** Who is refused, and why. */
export interface Refused {
  /** How the session ends. */
  readonly status: ServerRefusal;
  /** For the log line. */
  readonly reason: RefusalReason;
  /** How many seconds the client's clock is ahead of ours, for `skew`. */
  readonly skew?: number | undefined;
}

/** What a server makes of the bytes that have come so far. */
export type ServerAnswer =
  | {
    /** The header is not whole yet. */
    readonly kind: "more";
    /** Bytes that need not be given again. */
    readonly consumed: number;
  }
  | {
    /** The client asks for a connection; `encode` and `decode` come next. */
    readonly kind: "request";
    /** Bytes that need not be given again; what follows is for `decode`. */
    readonly consumed: number;
    /** The user's name; `""` if there are no users. */
    readonly user: string;
    /** What is asked for. */
    readonly address: ParsedAddress;
    /** What `address.hostOffset` counts in; valid until the next call. */
    readonly bytes: Uint8Array;
    /** The first payload, which may be empty; valid until the next call. */
    readonly payload: Uint8Array;
    /**
     * True if the request is for a server behind this one: its bytes, of which
     * the payload has the first, and those of the answer are passed on as they
     * are, and neither `encode` nor `decode` comes next. Absent: false.
     */
    readonly passes?: boolean;
  }
  | Refused & {
    /** The client is not served, and is to hear nothing. */
    readonly kind: "refuse";
    /** The type byte of an address that was refused, for the log. */
    readonly addressType?: number;
  };

/** Told what happens inside a {@linkcode ServerStream}. */
export interface ServerStreamListener {
  /**
   * The first chunk of one-time authentication that is not genuine was
   * dropped. The connection stays; nothing more will come through.
   */
  onChunkDropped(): void;
}

/**
 * The server's side of one connection: `receive` until there is a request or a
 * refusal, then the codec. The memory of salts is behind it.
 */
export interface ServerStream extends SideCodec {
  /**
   * Takes bytes until the header is whole and authentic.
   *
   * @param data Bytes that came and were not consumed yet.
   * @param output Room for what is decoded, as long as `data`; does not overlap
   * it.
   * @returns What they are.
   */
  receive(data: Uint8Array, output: Uint8Array): ServerAnswer;
}

/**
 * The client's side of one connection. The address header leaves with the
 * first `encode`. An answer under a salt that was seen before fails.
 */
export type ClientStream = SideCodec;

/** A datagram in a part of a buffer; the relay's `Packet` is one. */
export interface PacketBytes {
  /** The buffer. */
  bytes: Uint8Array;
  /** Where the payload begins, or what was received. */
  start: number;
  /** Where it ends. */
  end: number;
  /**
   * Where an address header begins that ends at `start`: of the target on the
   * way up, of the source on the way down. -1: none is written.
   */
  head: number;
}

/** Why a packet of a client is dropped. */
export interface PacketRefused {
  /** How its session would have ended. */
  readonly refused: ServerRefusal;
  /** For the log line. */
  readonly reason: RefusalReason;
  /** How many seconds the client's clock is ahead of ours, for `skew`. */
  readonly skew?: number | undefined;
}

/** What a packet of a client asks for; valid until the next `open`. */
export interface PacketOpened {
  /**
   * Which association it belongs to; undefined: the client's address decides.
   */
  readonly key: string | undefined;
  /** The user's name; `""` if there are no users. */
  readonly user: string;
  /** To be given to `seal` for an answer. */
  readonly state: unknown;
  /**
   * Whether it goes on to a server behind this one, whose answers come back as
   * they are. Absent: no.
   */
  readonly passes?: boolean;
  /** The target; offsets count in the opened packet's `bytes`. */
  readonly address: ParsedAddress;
}

/** The datagrams of one association, on the client's side. */
export interface ClientPackets extends Disposable {
  /**
   * How many seconds the clock of the server is ahead of ours, after `open` has
   * answered `skew`. Absent: there are no times.
   */
  readonly skew?: number | undefined;
  /**
   * Seals a datagram for the server.
   *
   * @param packet The payload, with the target's address header in front.
   * @param output Takes the sealed packet; does not overlap.
   * @returns Bytes in `output`, or {@linkcode NOT_SENDABLE}: there is no address
   * header, or too little room.
   */
  seal(packet: PacketBytes, output: Uint8Array): number;
  /**
   * Opens an answer into `output`. When it is genuine, `packet.bytes` becomes
   * `output`, `head` where the address header begins, at
   * {@linkcode PACKET_ROOM} or behind, and `start` and `end` those of the
   * payload; else the packet stays as it is.
   *
   * @param packet What was received.
   * @param output Takes the address header and the payload; does not overlap.
   * @returns Why it is to be dropped; undefined: it is genuine.
   */
  open(packet: PacketBytes, output: Uint8Array): ServerRefusal | undefined;
}

/** The datagrams of a listener, on the server's side. */
export interface ServerPackets extends Disposable {
  /**
   * Opens a client's packet into `output`, as `ClientPackets.open` does.
   *
   * @param packet What was received.
   * @param output Takes the address header and the payload; does not overlap.
   * @param from The client's IP address as text, without a port; see
   * {@linkcode Edition.usesAddress}.
   * @returns What it asks for, or why it is to be dropped.
   */
  open(
    packet: PacketBytes,
    output: Uint8Array,
    from?: string,
  ): PacketOpened | PacketRefused;
  /**
   * Seals an answer.
   *
   * @param packet The payload, with the source's address header in front.
   * @param state What `open` gave for the newest packet of the association.
   * @param output Takes the sealed packet; does not overlap.
   * @returns Bytes in `output`, {@linkcode SEALED_IN_PLACE} for an answer of a
   * server behind this one, or {@linkcode NOT_SENDABLE}.
   */
  seal(packet: PacketBytes, state: unknown, output: Uint8Array): number;
}

/** One edition with the method and the key of one port or server. */
export interface Edition extends Disposable {
  /** The method. */
  readonly method: CipherMethod;
  /** The library that does the work, such as `OpenSSL 3.0.19`. */
  readonly providerVersion: string;
  /**
   * Whether received bytes prove that their sender has the key. Without, a
   * client takes packets from the server's own address alone.
   */
  readonly authenticates: boolean;
  /**
   * Whether a server makes use of its clients' addresses. Without, callers need
   * not give them: to ask for one costs a system call. Absent: it does not.
   */
  readonly usesAddress?: boolean;
  /**
   * Starts a client's connection.
   *
   * @param target What is asked for.
   * @returns Its codec.
   * @throws {RangeError} If the target cannot be written as an address header.
   */
  newClientStream(target: Endpoint): ClientStream;
  /**
   * Starts a server's connection.
   *
   * @param listener Told what happens inside.
   * @param from The client's IP address as text, without a port; see
   * {@linkcode Edition.usesAddress}.
   * @returns Its state.
   */
  newServerStream(listener?: ServerStreamListener, from?: string): ServerStream;
  /** Starts a client's association. */
  newClientPackets(): ClientPackets;
  /**
   * Starts a listener's datagrams.
   *
   * @param associations How many there are at most, for editions that have
   * sessions of their own. Default: what is usual.
   */
  newServerPackets(associations?: number): ServerPackets;
}
