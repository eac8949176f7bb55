/**
 * The first bytes for the far side of a connection: when they leave, and with
 * what. Header and payload should leave in one write, and with TCP fast open
 * with the SYN; but in some protocols the server speaks first, so payload is
 * waited for a moment only.
 *
 * @module
 */

import type { StreamSocket, Timer } from "../loop/mod.ts";
import {
  FIRST_PAYLOAD_WAIT,
  WAIT_STATUS_READING,
  WAIT_STATUS_WRITING,
} from "./constants.ts";
import type { InboundStream } from "./inbound.ts";
import type { OutboundStream } from "./outbound.ts";
import type { Pipe, PipeContext } from "./pipe.ts";

const EMPTY = new Uint8Array(0);

/** The first bytes of one connection. */
export class FirstFlight {
  readonly #context: PipeContext;
  readonly #pipe: Pipe;
  readonly #inbound: InboundStream;
  /** Payload that came with the request, decoded. */
  #payload: Uint8Array | undefined;
  /** The far side that the bytes before the connect were made for (fast open). */
  #encodedFor: OutboundStream | undefined;
  #timer: Timer | undefined;

  /**
   * Makes a flight without bytes.
   *
   * @param context What the pipe works with.
   * @param pipe Where the bytes go.
   * @param inbound The client's side.
   */
  constructor(context: PipeContext, pipe: Pipe, inbound: InboundStream) {
    this.#context = context;
    this.#pipe = pipe;
    this.#inbound = inbound;
  }

  /**
   * Keeps payload until the far side is connected.
   *
   * @param payload Came with the request; copied.
   */
  keep(payload: Uint8Array): void {
    this.#payload = payload.slice();
  }

  /** Payload that is there already; undefined: none. */
  get payload(): Uint8Array | undefined {
    if (this.#payload !== undefined) return this.#payload;
    return this.#inbound.codec === undefined ? this.#pipe.up.carry : undefined;
  }

  /** True if payload is there, or can be read before the pipe is open. */
  get mayHavePayload(): boolean {
    return this.#payload !== undefined || this.#inbound.codec === undefined;
  }

  /**
   * Calls back when payload is there, or has been waited for long enough;
   * reads from the client meanwhile.
   *
   * @param callback Not called after `cancel`.
   */
  awaitPayload(callback: () => void): void {
    if (this.payload !== undefined) return callback();
    this.#pipe.updateStream(this.#pipe.up, WAIT_STATUS_READING);
    this.waitForPayload(callback);
  }

  /**
   * Calls back when payload has been waited for long enough.
   *
   * @param callback Not called after `cancel`.
   */
  waitForPayload(callback: () => void): void {
    this.#timer = this.#context.loop.addTimer(FIRST_PAYLOAD_WAIT, callback);
  }

  /**
   * Makes the bytes that leave with the SYN, the same for every address.
   * Payload is not waited for any more, nor read.
   *
   * @param stream The far side.
   * @returns The bytes, which wait in the pipe too.
   */
  encodeForSyn(stream: OutboundStream): Uint8Array {
    this.cancel();
    this.#pipe.updateStream(this.#pipe.up, WAIT_STATUS_WRITING);
    const { output } = this.#context.buffers;
    const first = this.payload ?? EMPTY;
    const count = stream.codec?.encode(first, output, first.length);
    this.#encodedFor = stream;
    return this.#pipe.up.pending = count === undefined
      ? first
      : output.slice(0, count);
  }

  /**
   * Notes that the far side is connected; called before the pipe starts.
   *
   * @param socket The socket.
   * @param stream The far side.
   * @returns Bytes of payload that have left with the SYN, or will leave from
   * what waits; undefined: no bytes were made before the connect.
   */
  settle(socket: StreamSocket, stream: OutboundStream): number | undefined {
    const { up } = this.#pipe;
    if (this.#encodedFor !== stream) {
      up.pending = undefined;
      return undefined;
    }
    up.release(socket.fastOpenTaken ?? 0);
    const length = this.payload?.length ?? 0;
    if (this.#payload === undefined) up.carry = undefined;
    this.#payload = undefined;
    return length;
  }

  /**
   * Sends what came with the request, or right behind it; called when the pipe
   * is open. A header without payload is sent a moment later.
   *
   * @param stream The far side.
   * @param onDone Called once when nothing is left to do.
   */
  send(stream: OutboundStream, onDone: () => void): void {
    const payload = this.#payload;
    this.#payload = this.#encodedFor = undefined;
    if (payload !== undefined) this.#pipe.writePayload(payload);
    this.#pipe.moveCarry();
    if (stream.codec?.headPending !== true) return onDone();
    this.waitForPayload(() => {
      onDone();
      this.#pipe.writeHead();
    });
  }

  /** Stops to wait. */
  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
