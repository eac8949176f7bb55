/**
 * The two streams between the two sockets of a connection: what moves bytes.
 *
 * Each stream waits to read its source or to write its sink, never both: a
 * slow sink stops the reading, so that a connection holds at most what one
 * read has brought. A half close is passed on in the direction it came from;
 * an end in the middle of a frame is reported as a failure, since a clean end
 * would let a cut transfer look whole.
 *
 * ```text
 * up      client socket → client's codec → payload → far codec → far socket
 * down    far socket → far codec → payload → client's codec → client socket
 * ```
 *
 * A side without a codec passes its bytes as they are. All connections of a
 * loop read into one buffer and make their bytes in another.
 *
 * @module
 */

import {
  type EventHandler,
  type EventLoop,
  FAILED,
  type Socket,
  type StreamSocket,
} from "../loop/mod.ts";
import type { RelayBuffers } from "./buffers.ts";
import { CODEC_FAILED, type StreamCodec } from "./codec.ts";
import {
  AHEAD_SIZE,
  STREAM_BUF_SIZE,
  STREAM_DOWN,
  STREAM_UP,
  WAIT_STATUS_INIT,
  WAIT_STATUS_READING,
  WAIT_STATUS_WRITING,
} from "./constants.ts";
import { eventsOf, RelayStream } from "./relay_stream.ts";
import type { Session } from "./session.ts";

/** What a {@linkcode Pipe} works with. */
export interface PipeContext {
  /** Waits for the sockets. */
  readonly loop: EventLoop;
  /** The buffers of the loop. */
  readonly buffers: RelayBuffers;
  /** Gets the events of the sockets. */
  readonly handler: EventHandler;
}

/** Whom a {@linkcode Pipe} works for. */
export interface PipeOwner {
  /** Counts what is moved. */
  readonly session: Session;
  /** True once the connection is over: then nothing more is done. */
  isDestroyed(): boolean;
  /** Bytes were read from one of the sockets, or those that waited sent. */
  onActivity(): void;
  /**
   * A socket failed, or its bytes end in the middle of a frame.
   *
   * @param isClient Whose socket it is.
   * @param code An errno name, or words for the log; `""`: not known.
   */
  onPipeFailed(isClient: boolean, code: string): void;
  /** The codec of a side says that the bytes of its socket are wrong. */
  onCodecFailed(isClient: boolean): void;
  /**
   * The far side has sent its end.
   *
   * @returns True if the owner has seen to it; false: pass it on.
   */
  onTargetEnd(): boolean;
  /** Both directions have ended cleanly, or the last bytes are sent. */
  onPipeEnd(): void;
}

const EMPTY = new Uint8Array(0);

/** Two streams between two sockets. */
export class Pipe {
  /** From the client to the far side. */
  readonly up: RelayStream = new RelayStream(STREAM_UP);
  /** From the far side to the client. */
  readonly down: RelayStream = new RelayStream(STREAM_DOWN);
  readonly #context: PipeContext;
  readonly #owner: PipeOwner;
  /** True while payload may flow. */
  #open = false;
  /** True once the session is over and only unsent bytes for the client remain. */
  #closing = false;

  /**
   * Makes a pipe with one end.
   *
   * @param context What it works with.
   * @param owner Told what happens.
   * @param client The client's socket.
   */
  constructor(context: PipeContext, owner: PipeOwner, client: StreamSocket) {
    this.#context = context;
    this.#owner = owner;
    this.up.source = this.down.sink = client;
  }

  /**
   * Sets the far side.
   *
   * @param socket Connected; undefined: there is none any more.
   * @param codec What stands between it and the payload.
   * @param rest Bytes that it has sent already.
   */
  setRemote(
    socket: StreamSocket | undefined,
    codec?: StreamCodec,
    rest?: Uint8Array,
  ): void {
    const { up, down } = this;
    up.sink = down.source = socket;
    up.encoder = down.decoder = codec;
    down.carry = rest;
  }

  /**
   * Sets what a stream waits for, and watches both sockets accordingly.
   *
   * @param stream One of the two.
   * @param status `WAIT_STATUS_*`.
   */
  updateStream(stream: RelayStream, status: number): void {
    if (stream.status === status) return;
    stream.status = status;
    const { up, down } = this;
    this.#watch(up.source, eventsOf(up.status, down.status));
    this.#watch(up.sink, eventsOf(down.status, up.status));
  }

  /**
   * Lets payload flow from now on.
   *
   * @param codec The client's codec.
   */
  start(codec: StreamCodec | undefined): void {
    const { up, down } = this;
    this.#open = true;
    up.decoder = down.encoder = codec;
    if (down.pending === undefined) {
      this.updateStream(down, WAIT_STATUS_READING);
    }
    if (up.pending === undefined) this.updateStream(up, WAIT_STATUS_READING);
    else this.flush(up);
  }

  /**
   * Lets the far side go and stops moving payload, as before the first request:
   * bytes of the client are the inbound's again. Bytes that the client sent
   * ahead, and those that wait to be sent to the client, stay.
   */
  stop(): void {
    const { up, down } = this;
    this.#open = false;
    this.setRemote(undefined);
    up.decoder =
      up.encoder =
      down.decoder =
      down.encoder =
        undefined;
    up.pending = down.carry = undefined;
    up.paused =
      up.carryWaits =
      up.ended =
      up.finished =
      down.ended =
      down.finished =
        false;
    this.updateStream(
      down,
      down.pending === undefined ? WAIT_STATUS_INIT : WAIT_STATUS_WRITING,
    );
  }

  /** Ends the pipe once the client has been sent all that waits for it. */
  endAfterWrite(): void {
    if (this.down.pending === undefined) {
      this.#owner.onPipeEnd();
      return;
    }
    this.#closing = true;
    this.up.carry = undefined;
    this.updateStream(this.up, WAIT_STATUS_INIT);
  }

  /**
   * Sends what makes the ends to come no clean ones, where a codec can; for
   * sockets that cannot be reset.
   */
  cut(): void {
    const { output } = this.#context.buffers;
    for (const { encoder, sink, finished } of [this.up, this.down]) {
      const count = finished ? 0 : encoder?.cut?.(output) ?? 0;
      if (count > 0) sink?.send(output, count);
    }
  }

  /** Drops all bytes. */
  clear(): void {
    this.#open = false;
    this.up.clear();
    this.down.clear();
  }

  /**
   * Sends bytes down a stream; what the sink has no room for waits, and the
   * source is not read until it is gone.
   *
   * @param stream One of the two.
   * @param data Bytes as the sink shall get them; may be used again at once.
   * @param end Only those before it, of a buffer that the relays share.
   */
  write(stream: RelayStream, data: Uint8Array, end?: number): void {
    if (stream.pending !== undefined) {
      stream.hold(data.subarray(0, end));
      return;
    }
    const sink = stream.sink!;
    const sent = sink.send(data, end);
    if (sent === (end ?? data.length)) {
      this.#afterWrite(stream);
    } else if (sent === FAILED) {
      this.#owner.onPipeFailed(!stream.isUp, sink.error);
    } else {
      stream.hold(data.subarray(Math.max(0, sent), end));
      stream.moved();
      this.updateStream(stream, WAIT_STATUS_WRITING);
    }
  }

  /**
   * Sends payload that came with the request.
   *
   * @param payload Payload for the far side, decoded already.
   */
  writePayload(payload: Uint8Array): void {
    const { up } = this;
    this.#owner.session.moved(STREAM_UP, payload.length, 0);
    if (up.encoder === undefined) {
      this.write(up, payload);
      return;
    }
    const { output } = this.#context.buffers;
    const count = up.encoder.encode(payload, output, payload.length);
    if (count > 0) this.write(up, output, count);
  }

  /** Sends what the far side must get though there is no payload yet. */
  writeHead(): void {
    const { up } = this;
    if (up.encoder?.headPending === true) this.#encodeHead(up, up.encoder);
  }

  /** Moves what the client has sent ahead and nobody has used yet. */
  moveCarry(): void {
    this.#moveCarry(this.up);
  }

  /** Moves what the far side has sent right behind a proxy's answer. */
  moveRest(): void {
    this.#moveCarry(this.down);
  }

  /**
   * Moves what one read of a stream's source brings to its sink.
   *
   * @param stream One of the two.
   */
  pump(stream: RelayStream): void {
    if (stream.sink?.busy === true) {
      this.updateStream(stream, WAIT_STATUS_WRITING);
      return;
    }
    const start = stream.carry?.length ?? 0;
    const length = this.read(stream);
    if (length <= 0) {
      if (length === 0) this.#onEnd(stream);
      else if (length === FAILED) {
        this.#owner.onPipeFailed(stream.isUp, stream.source!.error);
      }
      return;
    }
    const count = length - start;
    this.#owner.onActivity();
    this.#move(stream, length, count);
    stream.adaptReadSize(count, STREAM_BUF_SIZE);
  }

  /**
   * Reads from a stream's source, behind what came before and was not used.
   *
   * @param stream One of the two.
   * @returns Bytes in the input buffer, both together; 0, `WOULD_BLOCK` or
   * `FAILED` as `recv` says.
   */
  read(stream: RelayStream): number {
    const { input } = this.#context.buffers;
    const start = stream.carry?.length ?? 0;
    if (start > 0) input.set(stream.carry!);
    const limit = stream.paused ? AHEAD_SIZE : input.length;
    const end = Math.min(start + stream.nextRead, limit);
    const count = stream.source!.recv(input, start, end);
    return count > 0 ? start + count : count;
  }

  /**
   * Sends what waits for a stream's sink.
   *
   * @param stream One of the two.
   */
  flush(stream: RelayStream): void {
    const { pending } = stream;
    if (pending !== undefined) {
      const sink = stream.sink!;
      const sent = sink.send(pending);
      if (sent === FAILED) {
        this.#owner.onPipeFailed(!stream.isUp, sink.error);
        return;
      }
      if (sent > 0) {
        stream.release(sent);
        this.#owner.onActivity();
      }
      if (stream.pending !== undefined) {
        stream.moved();
        return;
      }
      if (stream.decoder?.failed === true) {
        this.#owner.onCodecFailed(stream.isUp);
        return;
      }
    }
    this.#afterWrite(stream);
  }

  /** Tells whether the system has moved bytes that wait to be sent. */
  isMoving(): boolean {
    const isUpMoving = this.up.moved();
    return this.down.moved() || isUpMoving;
  }

  /** Moves the carry, or has it moved once the sink has room. */
  #moveCarry(stream: RelayStream): void {
    const { carry } = stream;
    stream.carryWaits = carry !== undefined && stream.pending !== undefined;
    if (carry === undefined || stream.carryWaits) return;
    this.#context.buffers.input.set(carry);
    this.#move(stream, carry.length, 0);
  }

  /** `length` bytes stand in the input buffer, `count` of them just read. */
  #move(stream: RelayStream, length: number, count: number): void {
    const { input, output } = this.#context.buffers;
    const { decoder, encoder } = stream;
    let payload = input;
    let size = length;
    if (decoder === undefined) stream.carry = undefined;
    else {
      payload = output;
      size = decoder.decode(input, output, length);
      if (size === CODEC_FAILED) {
        if (stream.isUp) this.#owner.session.moved(STREAM_UP, 0, count);
        this.#owner.onCodecFailed(stream.isUp);
        return;
      }
      const { consumed } = decoder;
      stream.carry = consumed < length
        ? input.slice(consumed, length)
        : undefined;
      if (decoder.awaitsAnswer === true) this.#pause(stream);
    }
    if (size > 0) this.#send(stream, payload, size, count);
    else if (count > 0) {
      this.#owner.session.moved(stream.direction, 0, stream.isUp ? count : 0);
    }
    if (this.#owner.isDestroyed()) return;
    if (decoder?.failed === true) {
      // What was right before the wrong bytes is delivered first: see `flush`.
      if (stream.pending === undefined) this.#owner.onCodecFailed(stream.isUp);
    } else if (encoder?.failed === true) {
      this.#owner.onCodecFailed(!stream.isUp);
    } else if (!stream.isUp && this.up.paused) this.#resume();
  }

  /** Encodes payload if the stream's sink has a codec, and sends it. */
  #send(
    stream: RelayStream,
    payload: Uint8Array,
    size: number,
    count: number,
  ): void {
    const { encoder } = stream;
    const { session } = this.#owner;
    if (encoder === undefined) {
      session.moved(stream.direction, size, stream.isUp ? count : size);
      this.write(stream, payload, size);
      return;
    }
    const out = this.#context.buffers.besides(payload);
    const made = encoder.encode(payload, out, size);
    session.moved(stream.direction, size, stream.isUp ? count : made);
    if (made > 0) this.write(stream, out, made);
  }

  #encodeHead(stream: RelayStream, encoder: StreamCodec): void {
    const { output } = this.#context.buffers;
    const count = encoder.encode(EMPTY, output, 0);
    if (count > 0) this.write(stream, output, count);
  }

  /** The decoder takes nothing more until the other direction has moved. */
  #pause(stream: RelayStream): void {
    stream.paused = true;
    if (stream.pending === undefined) this.#readOn(stream);
  }

  /** Reads the source, unless too much of it waits for an answer. */
  #readOn(stream: RelayStream): void {
    const isFull = stream.paused && (stream.carry?.length ?? 0) >= AHEAD_SIZE;
    this.updateStream(stream, isFull ? WAIT_STATUS_INIT : WAIT_STATUS_READING);
  }

  /** Gives the decoder the bytes that it has refused, if it takes them now. */
  #resume(): void {
    const { up } = this;
    if (up.decoder?.awaitsAnswer === true) return;
    up.paused = false;
    // What waits is for another far side: this one was sent the end.
    if (up.ended) return;
    if (up.pending === undefined) this.updateStream(up, WAIT_STATUS_READING);
    this.moveCarry();
  }

  /** The source has sent its end: passes it on after all that came before. */
  #onEnd(stream: RelayStream): void {
    const { decoder, encoder, isUp } = stream;
    stream.ended = true;
    const isWhole = stream.paused
      ? decoder?.onEndAhead?.() === true
      : decoder?.atBoundary(stream.carry?.length ?? 0) !== false;
    if (!isWhole) {
      this.#owner.onPipeFailed(isUp, "connection cut inside a frame");
      return;
    }
    if (!isUp && this.#owner.onTargetEnd()) return;
    if (encoder?.endsCleanly?.() === false) {
      this.#owner.onPipeFailed(isUp, "connection cut inside a message");
      return;
    }
    // A header, or the salt of an empty answer: without it the peer could not
    // tell this end from a cut.
    if (encoder?.headPending === true) {
      this.#encodeHead(stream, encoder);
      if (this.#owner.isDestroyed()) return;
    }
    if (stream.pending === undefined) this.#finish(stream);
  }

  #finish(stream: RelayStream): void {
    // Without a sink: it has failed, and the client is told something else.
    if (stream.finished || stream.sink === undefined) return;
    stream.finished = true;
    if (this.up.finished && this.down.finished) {
      this.#owner.onPipeEnd();
      return;
    }
    stream.sink.shutdown();
    this.updateStream(stream, WAIT_STATUS_INIT);
  }

  #afterWrite(stream: RelayStream): void {
    if (stream.carryWaits && this.#open && !this.#closing) {
      this.#moveCarry(stream);
      if (stream.pending !== undefined || this.#owner.isDestroyed()) return;
    }
    if (this.#closing) {
      if (!stream.isUp) this.#owner.onPipeEnd();
    } else if (stream.ended && this.#open) this.#finish(stream);
    else if (this.#open) this.#readOn(stream);
    else if (!stream.isUp) {
      this.updateStream(stream, WAIT_STATUS_INIT);
    }
  }

  #watch(socket: Socket | undefined, events: number): void {
    if (socket === undefined) return;
    const { loop, handler } = this.#context;
    if (!loop.modify(socket, events)) loop.add(socket, events, handler);
  }
}
