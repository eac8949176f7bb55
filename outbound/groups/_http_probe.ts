/**
 * One probe by HTTP, from the first connect to the status line.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Resolver } from "../../dns/mod.ts";
import {
  type EventHandler,
  type EventLoop,
  FAILED,
  POLL_ERR,
  POLL_HUP,
  POLL_IN,
  POLL_OUT,
  type Socket,
  type StreamSocket,
} from "../../loop/mod.ts";
import {
  CODEC_FAILED,
  DECODE_ROOM,
  encodeRoom,
  type Failure,
  Opener,
  type OpenerOwner,
  type OutboundStream,
} from "../../relay/mod.ts";
import type { ProbeResult } from "./prober.ts";

/** What probes work with. */
export interface HttpProbeContext {
  /** Waits for the sockets. */
  readonly loop: EventLoop;
  /** Looks up the names of servers. */
  readonly resolver: Resolver;
}

/** Most bytes of one read; a status line is short. */
const READ_SIZE = 16 * 1024;
/**
 * Most bytes that wait for the rest of a frame: the longest, of 2022, has
 * 65,535 bytes, with a salt and three tags.
 */
const CARRY_LIMIT = 68 * 1024;
/** Most characters of a status line; longer ones are nobody's. */
const LINE_LIMIT = 512;

const EMPTY = new Uint8Array(0);

const logger = getLogger(["shadowsocks", "outbound"]);

/**
 * The buffers that all probes of a prober share: nothing stays in them from
 * one event to the next.
 */
export class ProbeBuffers {
  /** Bytes as read, or a request before its codec. */
  readonly input: Uint8Array = new Uint8Array(CARRY_LIMIT + READ_SIZE);
  /** What a codec makes of them. */
  readonly output: Uint8Array = new Uint8Array(
    Math.max(this.input.length + DECODE_ROOM, encodeRoom(this.input.length)),
  );
}

/** One probe. It ends once: by a result, by its timeout, or by `cancel`. */
export class HttpProbe implements EventHandler, OpenerOwner {
  readonly #context: HttpProbeContext;
  readonly #buffers: ProbeBuffers;
  readonly #request: Uint8Array;
  readonly #done: (result: ProbeResult) => void;
  #since = 0;
  #timer: { cancel(): void } | undefined;
  #stream: OutboundStream | undefined;
  #opener: Opener | undefined;
  /** Open: the page can be asked for. */
  #socket: StreamSocket | undefined;
  #reached = false;
  #ended = false;
  /** What the socket had no room for. */
  #unsent: Uint8Array | undefined;
  /** What has come and could not be understood yet. */
  #carry: Uint8Array = EMPTY;
  /** The answer as far as it has come. */
  #line = "";

  /**
   * Makes a probe that does nothing yet.
   *
   * @param context What it works with.
   * @param options `request`: what is sent once the outbound is open. `done`: called
   * with the result, unless the probe is cancelled.
   */
  constructor(
    context: HttpProbeContext,
    options: {
      readonly buffers: ProbeBuffers;
      readonly request: Uint8Array;
      readonly done: (result: ProbeResult) => void;
    },
  ) {
    this.#context = context;
    this.#buffers = options.buffers;
    this.#request = options.request;
    this.#done = options.done;
  }

  /**
   * Begins. Never throws.
   *
   * @param open Gives the far side.
   * @param timeout Milliseconds after which the probe has failed.
   */
  start(open: () => OutboundStream, timeout: number): void {
    const { loop, resolver } = this.#context;
    this.#since = loop.time() * 1000;
    this.#timer = loop.addTimer(timeout, () => this.#fail("timeout"));
    try {
      const stream = open();
      this.#stream = stream;
      const context = { loop, resolver, handler: this };
      this.#opener = new Opener(context, this, { stream });
      this.#opener.start();
    } catch (error) {
      this.#failBy(error);
    }
  }

  /** Ends the probe without a result. Idempotent. */
  cancel(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.cancel();
    this.#opener?.cancel();
    this.#opener = undefined;
    if (this.#socket !== undefined) this.onSocketFailed(this.#socket);
    this.#socket = undefined;
    this.#stream?.[Symbol.dispose]();
    this.#stream = undefined;
    this.#carry = EMPTY;
    this.#unsent = undefined;
  }

  /** Handles one event of one of its sockets. */
  handleEvent(socket: Socket | null, _fd: number, event: number): void {
    if (this.#ended || socket === null) return;
    try {
      if (socket !== this.#socket) {
        this.#opener?.handleEvent(socket, event);
        return;
      }
      if ((event & (POLL_ERR | POLL_HUP)) !== 0 && (event & POLL_IN) === 0) {
        this.#fail(socket.takeError() || "closed");
        return;
      }
      if ((event & POLL_OUT) !== 0) this.#send(this.#unsent ?? EMPTY);
      if (!this.#ended && (event & POLL_IN) !== 0) this.#read(this.#socket);
    } catch (error) {
      this.#failBy(error);
    }
  }

  /** A page to probe with was named in the configuration: it is allowed. */
  forbids(): boolean {
    return false;
  }

  /** See {@linkcode OpenerOwner}. */
  onSocket(): void {}

  /** Closes a socket. */
  onSocketFailed(socket: StreamSocket): void {
    this.#context.loop.remove(socket);
    socket.close();
  }

  /** The server, or the first proxy in front of it, listens. */
  onReached(): void {
    this.#reached = true;
  }

  /** Asks for the page. */
  onOpened(socket: StreamSocket, rest: Uint8Array | undefined): void {
    this.#opener = undefined;
    this.#socket = socket;
    this.#ask();
    if (rest === undefined || this.#ended) return;
    const { input } = this.#buffers;
    input.set(rest);
    this.#onBytes(input.subarray(0, rest.length));
  }

  /** No address could be connected to, or a proxy refuses. */
  onOpenFailed({ status, code }: Failure): void {
    this.#fail(status === "blocked" ? status : code || "unreached");
  }

  #ask(): void {
    const codec = this.#stream?.codec;
    if (codec === undefined) {
      this.#send(this.#request);
      return;
    }
    const { input, output } = this.#buffers;
    const { length } = this.#request;
    input.set(this.#request);
    this.#send(output.subarray(0, codec.encode(input, output, length)));
  }

  /** Sends what there is room for, keeps the rest, and listens. */
  #send(bytes: Uint8Array): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    const sent = bytes.length === 0 ? 0 : socket.send(bytes);
    if (sent === FAILED) {
      this.#fail(socket.error || "closed");
      return;
    }
    const rest = bytes.slice(Math.max(0, sent));
    this.#unsent = rest.length > 0 ? rest : undefined;
    const mode = rest.length > 0 ? POLL_IN | POLL_OUT : POLL_IN;
    const { loop } = this.#context;
    if (!loop.modify(socket, mode)) loop.add(socket, mode, this);
  }

  #read(socket: StreamSocket): void {
    const { input } = this.#buffers;
    const start = this.#carry.length;
    input.set(this.#carry);
    const count = socket.recv(input, start, start + READ_SIZE);
    if (count === 0) this.#fail("closed");
    else if (count === FAILED) this.#fail(socket.error || "closed");
    if (count <= 0) return;
    this.#onBytes(input.subarray(0, start + count));
  }

  /** Takes bytes that stand at the start of the input buffer. */
  #onBytes(data: Uint8Array): void {
    const rest = this.#onAnswer(data);
    if (this.#ended) return;
    if (rest.length > CARRY_LIMIT) this.#fail("bad-answer");
    else this.#carry = rest.slice();
  }

  /** Takes bytes of the far side; gives those that are no whole frame. */
  #onAnswer(data: Uint8Array): Uint8Array {
    const codec = this.#stream?.codec;
    if (codec === undefined) {
      this.#onText(data);
      return EMPTY;
    }
    const { input, output } = this.#buffers;
    const count = data.length === 0
      ? 0
      : codec.decode(input, output, data.length);
    if (count > 0) this.#onText(output.subarray(0, count));
    if (this.#ended) return EMPTY;
    if (count === CODEC_FAILED || codec.failed) {
      this.#fail("not-authentic");
      return EMPTY;
    }
    return data.subarray(codec.consumed);
  }

  /** Takes payload of the answer. */
  #onText(payload: Uint8Array): void {
    const more = payload.subarray(0, LINE_LIMIT);
    this.#line += String.fromCharCode(...more);
    if (!this.#line.includes("\n") && this.#line.length < LINE_LIMIT) return;
    const status = /^HTTP\/1\.[01] ([1-5]\d\d)[ \r\n]/.exec(this.#line)?.[1];
    if (status === undefined) this.#fail("bad-answer");
    else if (status < "200" || status >= "400") this.#fail(`status ${status}`);
    else {
      const milliseconds = this.#context.loop.time() * 1000 - this.#since;
      this.#end({ ok: true, milliseconds });
    }
  }

  #failBy(error: unknown): void {
    logger.error("Unexpected error in a probe: {error}", { error });
    this.#fail("error");
  }

  #fail(code: string): void {
    this.#end({ ok: false, code, reached: this.#reached });
  }

  #end(result: ProbeResult): void {
    if (this.#ended) return;
    this.cancel();
    this.#done(result);
  }
}
