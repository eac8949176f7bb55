/**
 * What the two client sides, SOCKS5 and tunnel, have in common: a header that
 * leaves with the first payload, towards one of the configured servers.
 *
 * ```text
 * usually     connect, say so, wait for payload, send header and payload
 * fast open   say so, wait for payload, connect with header and payload
 * ```
 *
 * Payload is waited for a moment only: in some protocols the server speaks
 * first.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Timer } from "../loop/mod.ts";
import {
  FIRST_PAYLOAD_WAIT,
  STAGE_FAST_OPEN,
  STAGE_STREAM,
  STREAM_UP,
  WAIT_STATUS_READING,
} from "./constants.ts";
import { OneTimeEncoder } from "./ota.ts";
import { literalAddress, pickServer } from "./settings.ts";
import { TCPRelayHandler } from "./tcp_relay_handler.ts";

const logger = getLogger(["shadowsocks", "relay"]);

/** A connection of the client side. */
export abstract class ClientHandler extends TCPRelayHandler {
  /** The server gets ciphertext. */
  protected readonly encryptsUpstream = true;
  /** Length of the address header that stands before the payload. */
  #headerLength = 0;
  /** Set while it waits for the first payload. */
  #payloadTimer: Timer | undefined;

  /** The first ciphertext, if fast open is to carry it. */
  override get fastOpenData(): Uint8Array | undefined {
    // Before the connect only fast open puts anything there.
    return this.upstream.pending;
  }

  /** Takes the first payload, which fast open waits for. */
  protected onHandshakeRead(data: Uint8Array): void {
    if (this.stage === STAGE_FAST_OPEN) this.#onFirstPayload(data);
  }

  /** Connects though there is no payload to come. */
  protected override onHandshakeEnd(): void {
    // An end without payload is read again, and passed on, once connected.
    if (this.stage === STAGE_FAST_OPEN) this.#onFirstPayload();
    else super.onHandshakeEnd();
  }

  /** Called with fast open, before anybody knows whether a server answers. */
  protected onFastOpen(): void {}

  /**
   * Connects to a server.
   *
   * @param start The address of the target, and payload if there is any yet.
   * @param options `headerLength`: where the payload begins; `name`: the
   * target as the user names it.
   */
  protected connectToServer(
    start: Uint8Array,
    { headerLength, name }: {
      readonly headerLength: number;
      readonly name: string;
    },
  ): void {
    const { settings, fastOpen } = this.relay;
    settings.suite.streamSalts.add(this.cryptor.salt!);
    this.upstream.carry = start;
    this.#headerLength = headerLength;
    if (settings.oneTimeAuth) {
      const { masterKey, method: { kind } } = settings.suite;
      const iv = this.cryptor.salt!;
      this.upstream.transform = new OneTimeEncoder({
        iv,
        masterKey,
        headerLength,
        kind,
      });
    }
    this.remoteName = name;
    this.relay.endHandshake(this);
    logger.info("connecting {name} from {client}", () => ({
      name,
      client: this.clientName,
    }));
    if (fastOpen) this.#awaitPayload();
    else this.#connect();
  }

  /**
   * Sends the header if it was not sent yet: at once if payload stands with
   * it, else with the first payload, which is waited for a moment.
   */
  protected sendHeader(): void {
    const { carry } = this.upstream;
    if (carry === undefined) return;
    if (carry.length > this.#headerLength) {
      this.#sendCarry();
      return;
    }
    this.#payloadTimer = this.relay.loop.addTimer(
      FIRST_PAYLOAD_WAIT,
      () => {
        this.#payloadTimer = undefined;
        this.#sendCarry();
      },
    );
  }

  /** Says so, and ends the connection as an abort. */
  protected onDecryptFailed(): void {
    logger.error(
      "cannot decrypt the answer of {server}: wrong password or method, or it was altered",
      { server: `${this.remoteSocket?.remoteAddress}` },
    );
    this.destroy({ reset: true });
  }

  /** An answer under a salt that was seen before is none. */
  protected override acceptsAnswer(): boolean {
    const { cryptor } = this;
    const { streamSalts } = this.relay.settings.suite;
    const accepted = streamSalts.add(cryptor.peerSalt!);
    cryptor.forgetSalts();
    return accepted;
  }

  /** Lets go of the timer, which would keep the connection in memory. */
  protected override onDestroy(): void {
    this.#payloadTimer?.cancel();
  }

  #connect(): void {
    const server = pickServer(this.relay.settings.servers);
    const address = literalAddress(server);
    if (address === undefined) this.connect(server.host, server.port);
    else this.connectTo(address);
  }

  #awaitPayload(): void {
    this.stage = STAGE_FAST_OPEN;
    this.onFastOpen();
    if (this.isDestroyed()) return;
    if (this.upstream.carry!.length > this.#headerLength) {
      this.#onFirstPayload();
      return;
    }
    this.updateStream(STREAM_UP, WAIT_STATUS_READING);
    this.#payloadTimer = this.relay.loop.addTimer(FIRST_PAYLOAD_WAIT, () => {
      this.#payloadTimer = undefined;
      if (this.stage === STAGE_FAST_OPEN) this.#onFirstPayload();
    });
  }

  /** Connects with what there is to send; every address gets the same bytes. */
  #onFirstPayload(plaintext: Uint8Array = this.upstream.carry!): void {
    const length = this.encrypt(STREAM_UP, plaintext, plaintext.length);
    this.upstream.pending = this.relay.buffers.output.slice(0, length);
    this.upstream.carry = undefined;
    this.#connect();
  }

  #sendCarry(): void {
    const { carry } = this.upstream;
    if (carry === undefined || this.stage !== STAGE_STREAM) return;
    this.upstream.carry = undefined;
    this.writeEncrypted(STREAM_UP, carry);
  }
}
