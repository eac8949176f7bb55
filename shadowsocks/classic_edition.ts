/**
 * The editions of before 2022. Their plaintext is an address header and then
 * payload; they differ in how that becomes ciphertext alone:
 *
 * - 2017, AEAD (SIP004, SIP007): `_aead_2017_framing.ts`;
 * - the stream ciphers and the table of before: `_stream_framing.ts`.
 *
 * Both may carry one-time authentication, see `_ota.ts`: a client sends it
 * when it is told to, a server always takes it, and requires it when it is
 * told to.
 *
 * @module
 */

import type { CipherMethod } from "../crypto/mod.ts";
import type { Endpoint } from "../socks5/mod.ts";
import { ClassicClientStream } from "./_classic_client.ts";
import {
  ClassicClientPackets,
  ClassicServerPackets,
} from "./_classic_packets.ts";
import { ClassicPort } from "./_classic_port.ts";
import { ClassicServerStream } from "./_classic_server.ts";
import type {
  ClientPackets,
  ClientStream,
  Edition,
  ServerPackets,
  ServerStream,
  ServerStreamListener,
} from "./edition.ts";
import type { ReplayMemory } from "./replay_memory.ts";
import type { CipherSuite } from "./suite.ts";

/** The 2017 edition, or that of the stream ciphers, with one key. */
export class ClassicEdition implements Edition {
  readonly method: CipherMethod;
  readonly providerVersion: string;
  readonly authenticates: boolean;
  readonly #port: ClassicPort;

  /**
   * Makes the edition of a key.
   *
   * @param suite Method, key and cipher; becomes the edition's own.
   * @param oneTimeAuth Client: send one-time authentication; server: require
   * it.
   * @param memory Where salts are remembered. Default: one of its own.
   */
  constructor(
    suite: CipherSuite,
    oneTimeAuth = false,
    memory?: ReplayMemory,
  ) {
    this.method = suite.method;
    this.providerVersion = suite.providerVersion;
    this.authenticates = suite.method.kind === "aead";
    this.#port = new ClassicPort(suite, { oneTimeAuth, memory });
  }

  /**
   * Starts a client's connection.
   *
   * @param target What is asked for.
   * @returns Its codec; must not outlive the edition.
   * @throws {RangeError} If the target cannot be written as an address header.
   */
  newClientStream(target: Endpoint): ClientStream {
    return new ClassicClientStream(this.#port, target);
  }

  /**
   * Starts a server's connection.
   *
   * @param listener Told of chunks that were dropped.
   * @returns Its state; must not outlive the edition.
   */
  newServerStream(listener?: ServerStreamListener): ServerStream {
    return new ClassicServerStream(this.#port, listener);
  }

  /**
   * Starts a client's association.
   *
   * @returns Its codec; must not outlive the edition.
   */
  newClientPackets(): ClientPackets {
    return new ClassicClientPackets(this.#port);
  }

  /**
   * Starts a listener's datagrams.
   *
   * @returns Their codec; must not outlive the edition.
   */
  newServerPackets(): ServerPackets {
    return new ClassicServerPackets(this.#port);
  }

  /** Frees the ciphers and wipes the key. */
  [Symbol.dispose](): void {
    this.#port.suite[Symbol.dispose]();
    this.#port.buffer[Symbol.dispose]();
  }
}
