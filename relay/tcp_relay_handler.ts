/**
 * The seed's TCPRelayHandler: one for each connection, with two sockets and
 * two streams.
 *
 * Each stream waits to read its source or to write its sink, never both: a
 * slow sink stops the reading, so that a connection holds at most what one
 * read has brought. Half close is passed on in the direction it came from; a
 * reset, or an end in the middle of a frame, becomes a reset, since a clean
 * end would let a cut transfer look whole.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { Cryptor, DECRYPT_FAILED } from "../crypto/mod.ts";
import {
  FAILED,
  ListItem,
  POLL_ERR,
  POLL_HUP,
  POLL_IN,
  POLL_OUT,
  type Socket,
  type SocketAddress,
  type StreamSocket,
} from "../loop/mod.ts";
import {
  CARRY_SIZE,
  DOWN_STREAM_BUF_SIZE,
  MIN_READ_SIZE,
  STAGE_CONNECTING,
  STAGE_DESTROYED,
  STAGE_DNS,
  STAGE_DRAINING,
  STAGE_INIT,
  STAGE_STREAM,
  STREAM_DOWN,
  STREAM_UP,
  UP_STREAM_BUF_SIZE,
  WAIT_STATUS_INIT,
  WAIT_STATUS_READING,
  WAIT_STATUS_WRITING,
} from "./constants.ts";
import { Connector, type ConnectorOwner } from "./connector.ts";
import { eventsOf, RelayStream } from "./relay_stream.ts";
import type { TCPRelay } from "./tcp_relay.ts";

const logger = getLogger(["shadowsocks", "relay"]);

/** One relayed connection; the client and the server side extend it. */
export abstract class TCPRelayHandler extends ListItem<TCPRelayHandler>
  implements ConnectorOwner {
  /** `STAGE_*`. */
  stage: number = STAGE_INIT;
  /** Seconds of the loop's clock; kept by {@linkcode TCPRelay}. */
  lastActivity = 0;
  /** Seconds of the loop's clock; kept by {@linkcode TCPRelay}. */
  acceptedAt = 0;
  /** Its place in `TCPRelay.timeouts`; -1: none. Kept by the relay. */
  timeoutIndex: number = -1;
  /** The other end as the user names it, for log lines; "" if not known. */
  remoteName = "";
  /** The relay that accepted the connection. */
  protected readonly relay: TCPRelay;
  /** Towards the client. */
  protected readonly localSocket: StreamSocket;
  /** Towards the other end, once it is known. */
  protected remoteSocket: StreamSocket | undefined;
  /** Client to other end. */
  protected readonly upstream: RelayStream = new RelayStream();
  /** Other end to client. */
  protected readonly downstream: RelayStream = new RelayStream();
  /** Both directions of the cipher. */
  protected readonly cryptor: Cryptor;
  /** What the upstream does with its bytes; the downstream does the other. */
  protected abstract readonly encryptsUpstream: boolean;
  /** While it is connecting. */
  #connector: Connector | undefined;
  /** Whether it ends with the last byte that waits for the client. */
  #closing = false;

  /**
   * Takes a connection over; `start` begins.
   *
   * @param relay The relay that accepted the connection.
   * @param localSocket The accepted socket; owned from now on.
   */
  constructor(relay: TCPRelay, localSocket: StreamSocket) {
    super();
    this.relay = relay;
    this.localSocket = localSocket;
    this.cryptor = relay.settings.suite.newCryptor();
    relay.fd_to_handlers.set(localSocket.fd, this);
  }

  /** Begins to watch the client's socket. */
  start(): void {
    this.updateStream(STREAM_UP, WAIT_STATUS_READING);
  }

  /** Handles one event of one of the two sockets: error, read, write. */
  handleEvent(socket: Socket, event: number): void {
    if (this.stage === STAGE_DESTROYED) return;
    const isLocal = socket === this.localSocket;
    if (!isLocal && socket !== this.remoteSocket) return;
    if (!isLocal && this.stage === STAGE_CONNECTING) {
      return this.#connector!.handleEvent(event);
    }
    if ((event & POLL_ERR) !== 0) {
      this.onSocketError(isLocal, () => socket.takeError());
      if (this.isDestroyed()) return;
    }
    if ((event & POLL_IN) !== 0) {
      if (isLocal) this.#onLocalRead();
      else if (this.stage === STAGE_STREAM) this.#pump(STREAM_DOWN);
      if (this.isDestroyed()) return;
    } else if ((event & POLL_HUP) !== 0) {
      // Both of its directions are closed, and nobody wants to read it now:
      // not watching it keeps the loop from spinning until somebody does.
      this.relay.loop.remove(socket);
    }
    if ((event & POLL_OUT) !== 0) {
      this.#flush(isLocal ? STREAM_DOWN : STREAM_UP);
    }
  }

  /** The client's address, for log lines. */
  get clientName(): string {
    return `${this.localSocket.remoteAddress}`;
  }

  /** Whether it is over. */
  isDestroyed(): boolean {
    return this.stage === STAGE_DESTROYED;
  }

  /** Whether it is active in a way that its sockets do not show. */
  keepsAlive(): boolean {
    return false;
  }

  /** Ends it because it was idle, or showed no valid header in time. */
  timeOut(): void {
    const name = this.remoteName;
    if (this.stage === STAGE_DRAINING || name === "") {
      logger.debug("timed out: connection from {client}", {
        client: this.clientName,
      });
    } else {
      logger.warn("timed out: {name}", { name });
    }
    this.destroy();
  }

  /**
   * Ends the connection. Three things hold when it returns: both sockets are
   * closed, the loop and the relay know neither of them nor the handler, and
   * no callback of it will do anything. Calling it again does nothing.
   *
   * @param options `reset`: the sockets are reset, not closed cleanly.
   */
  destroy(options: { readonly reset?: boolean } = {}): void {
    if (this.stage === STAGE_DESTROYED) return;
    this.stage = STAGE_DESTROYED;
    this.#connector?.cancel();
    this.#connector = undefined;
    this.onDestroy();
    this.#release(this.localSocket, options.reset === true);
    if (this.remoteSocket !== undefined) {
      this.#release(this.remoteSocket, options.reset === true);
    }
    this.upstream.clear();
    this.downstream.clear();
    this.cryptor[Symbol.dispose]();
    this.relay.removeHandler(this);
  }

  /** Ends the connection once the client has been sent all that waits. */
  protected destroyAfterWrite(): void {
    if (this.downstream.pending === undefined) return this.destroy();
    this.#closing = true;
    this.updateStream(STREAM_UP, WAIT_STATUS_INIT);
  }

  /** Called with each read of the client before the stream stage. */
  protected abstract onHandshakeRead(data: Uint8Array): void;
  /** Called when the client sends its end before the stream stage. */
  protected onHandshakeEnd(): void {
    this.destroy();
  }
  /** Called when the other end is connected; `STAGE_STREAM` has begun. */
  protected onConnected(): void {}
  /** Called when no address could be connected to; destroys. */
  abstract onConnectFailed(code: string): void;
  /** Called once with the first authentic bytes of the peer. */
  protected acceptsAnswer(): boolean {
    return true;
  }
  /** Called when the peer's ciphertext is not authentic. */
  protected abstract onDecryptFailed(): void;
  /** Called once while it is being destroyed. */
  protected onDestroy(): void {}

  /** A socket failed, most often by a reset: the other one is reset too. */
  protected onSocketError(isLocal: boolean, code: () => string): void {
    logger.debug("{side} of {client} failed: {code}", () => ({
      side: isLocal ? "client" : "other end",
      client: this.clientName,
      code: code(),
    }));
    this.destroy({ reset: true });
  }

  /** Looks the name up and connects to the first address that answers. */
  protected connect(hostname: string, port: number): void {
    this.#newConnector().start(hostname, port);
  }

  /** Connects to an address, the only one to try. */
  protected connectTo(address: SocketAddress): void {
    this.#newConnector().startAt([address]);
  }

  /** The names are known; connecting begins. */
  onResolved(): void {
    this.stage = STAGE_CONNECTING;
  }

  /** Takes the socket that is being connected. */
  onRemoteSocket(socket: StreamSocket): void {
    this.remoteSocket = socket;
    this.relay.fd_to_handlers.set(socket.fd, this);
  }

  /** Begins to pipe. */
  onRemoteConnected(): void {
    this.#connector = undefined;
    this.stage = STAGE_STREAM;
    if (this.downstream.pending === undefined) {
      this.updateStream(STREAM_DOWN, WAIT_STATUS_READING);
    }
    this.upstream.release(this.remoteSocket!.fastOpenTaken ?? 0);
    if (this.upstream.pending !== undefined) this.#flush(STREAM_UP);
    else this.updateStream(STREAM_UP, WAIT_STATUS_READING);
    if (!this.isDestroyed()) this.onConnected();
  }

  /** Lets go of a socket that could not be connected. */
  onRemoteFailed(socket: StreamSocket): void {
    this.#release(socket, false);
    this.remoteSocket = undefined;
  }

  /** What may leave with the SYN; undefined: connect without fast open. */
  get fastOpenData(): Uint8Array | undefined {
    return undefined;
  }

  /** Whether the other end may have this address; logs if not. */
  isAllowed(_address: SocketAddress): boolean {
    return true;
  }

  /**
   * Sets what a stream waits for, and watches both sockets accordingly.
   *
   * @param stream `STREAM_UP` or `STREAM_DOWN`.
   * @param status `WAIT_STATUS_*`.
   */
  protected updateStream(stream: number, status: number): void {
    const changed = stream === STREAM_UP ? this.upstream : this.downstream;
    if (changed.status === status) return;
    changed.status = status;
    const up = this.upstream.status;
    const down = this.downstream.status;
    this.#watch(this.localSocket, eventsOf(up, down));
    if (this.remoteSocket !== undefined) {
      this.#watch(this.remoteSocket, eventsOf(down, up));
    }
  }

  /**
   * Sends bytes down a stream; what the sink has no room for waits, and the
   * source is not read until it is gone.
   *
   * @param stream `STREAM_UP` or `STREAM_DOWN`.
   * @param data Bytes as the sink shall get them; may be reused at once.
   * @param end Only those before it, of a buffer that the relays share.
   */
  protected write(stream: number, data: Uint8Array, end?: number): void {
    const isUp = stream === STREAM_UP;
    const state = isUp ? this.upstream : this.downstream;
    const sink = isUp ? this.remoteSocket! : this.localSocket;
    if (state.pending !== undefined) {
      state.hold(data.subarray(0, end));
      return;
    }
    const sent = sink.send(data, end);
    if (sent === (end ?? data.length)) {
      this.#afterWrite(stream, state);
    } else if (sent === FAILED) {
      this.onSocketError(!isUp, () => sink.error);
    } else {
      state.hold(data.subarray(Math.max(0, sent), end));
      this.updateStream(stream, WAIT_STATUS_WRITING);
    }
  }

  /** Sends plaintext to the peer that speaks the cipher. */
  protected writeEncrypted(
    stream: number,
    plaintext: Uint8Array,
    length: number = plaintext.length,
  ): void {
    const count = this.encrypt(stream, plaintext, length);
    if (count > 0) this.write(stream, this.relay.buffers.output, count);
  }

  /** Encrypts into the shared output buffer; returns how many bytes. */
  protected encrypt(
    stream: number,
    plaintext: Uint8Array,
    length: number,
  ): number {
    const { buffers } = this.relay;
    const state = stream === STREAM_UP ? this.upstream : this.downstream;
    if (state.transform === undefined) {
      return this.cryptor.encrypt(plaintext, buffers.output, length);
    }
    const data = plaintext.subarray(0, length);
    const transformed = state.transformed(data, buffers.scratch);
    return this.cryptor.encrypt(transformed, buffers.output);
  }

  /** Refuses the peer without a sign: reads on, says nothing, forgets. */
  protected drain(): void {
    this.stage = STAGE_DRAINING;
    if (this.remoteSocket !== undefined) {
      this.#release(this.remoteSocket, true);
      this.remoteSocket = undefined;
    }
    this.upstream.clear();
    this.downstream.clear();
    this.updateStream(STREAM_DOWN, WAIT_STATUS_INIT);
    this.updateStream(STREAM_UP, WAIT_STATUS_READING);
  }

  #newConnector(): Connector {
    this.stage = STAGE_DNS;
    this.updateStream(STREAM_UP, WAIT_STATUS_WRITING);
    return this.#connector = new Connector(this.relay, this);
  }

  #onLocalRead(): void {
    if (this.stage === STAGE_STREAM) return this.#pump(STREAM_UP);
    const { input } = this.relay.buffers;
    const { carry } = this.upstream;
    const start = this.stage === STAGE_DRAINING ? 0 : carry?.length ?? 0;
    if (start > 0) input.set(carry!);
    const count = this.localSocket.recv(
      input,
      start,
      CARRY_SIZE + MIN_READ_SIZE,
    );
    if (count > 0) {
      if (this.stage === STAGE_DRAINING) return;
      this.relay.updateActivity(this, count);
      this.onHandshakeRead(input.subarray(0, start + count));
    } else if (count === 0) {
      this.onHandshakeEnd();
    } else if (count === FAILED) {
      this.onSocketError(true, () => this.localSocket.error);
    }
  }

  /** Moves what one read of a stream's source brings to its sink. */
  #pump(stream: number): void {
    const isUp = stream === STREAM_UP;
    const state = isUp ? this.upstream : this.downstream;
    const source = isUp ? this.localSocket : this.remoteSocket!;
    const { input } = this.relay.buffers;
    const start = state.carry?.length ?? 0;
    if (start > 0) input.set(state.carry!);
    const count = source.recv(input, start, start + state.readSize);
    if (count <= 0) {
      if (count === 0) this.#onEnd(stream, state);
      else if (count === FAILED) this.onSocketError(isUp, () => source.error);
      return;
    }
    this.relay.updateActivity(this, count);
    if (isUp === this.encryptsUpstream) {
      state.carry = undefined;
      this.writeEncrypted(stream, input, start + count);
    } else if (!this.#open(stream, start + count)) return;
    const limit = isUp ? UP_STREAM_BUF_SIZE : DOWN_STREAM_BUF_SIZE;
    state.adaptReadSize(count, limit);
    if (this.cryptor.failed && !this.isDestroyed()) this.onDecryptFailed();
  }

  /** Decrypts what has been read, and sends it; false: it is not genuine. */
  #open(stream: number, length: number): boolean {
    const { buffers } = this.relay;
    const { input, output } = buffers;
    const { cryptor } = this;
    const state = stream === STREAM_UP ? this.upstream : this.downstream;
    const count = cryptor.decrypt(input, output, length);
    if (count > 0 && !state.accepted) state.accepted = this.acceptsAnswer();
    if (count === DECRYPT_FAILED || (count !== 0 && !state.accepted)) {
      this.onDecryptFailed();
      return false;
    }
    const { consumed } = cryptor;
    state.carry = consumed < length ? input.slice(consumed, length) : undefined;
    if (count === 0) return true;
    if (state.transform === undefined) this.write(stream, output, count);
    else {
      const data = output.subarray(0, count);
      const transformed = state.transformed(data, buffers.scratch);
      if (transformed.length > 0) this.write(stream, transformed);
    }
    return true;
  }

  /** The source has sent its end: passes it on after all that came before. */
  #onEnd(stream: number, state: RelayStream): void {
    const isUp = stream === STREAM_UP;
    state.ended = true;
    if (isUp === this.encryptsUpstream) {
      // What was not sent yet is the header, or the salt of an empty answer:
      // without it the peer could not tell this end from a cut.
      const rest = state.carry ?? new Uint8Array(0);
      state.carry = undefined;
      if (this.cryptor.encryptedLength(rest.length) > 0) {
        this.writeEncrypted(stream, rest);
        if (this.isDestroyed()) return;
      }
    } else if (
      !this.cryptor.atBoundary(state.carry?.length ?? 0) ||
      state.transform?.atBoundary === false
    ) {
      this.onSocketError(isUp, () => "connection cut inside a frame");
      return;
    }
    if (state.pending === undefined) this.#finish(stream, state);
  }

  #finish(stream: number, state: RelayStream): void {
    if (state.finished) return;
    state.finished = true;
    if (this.upstream.finished && this.downstream.finished) {
      this.destroy();
      return;
    }
    const sink = stream === STREAM_UP ? this.remoteSocket! : this.localSocket;
    sink.shutdown();
    this.updateStream(stream, WAIT_STATUS_INIT);
  }

  #flush(stream: number): void {
    const isUp = stream === STREAM_UP;
    const state = isUp ? this.upstream : this.downstream;
    const { pending } = state;
    const sink = isUp ? this.remoteSocket! : this.localSocket;
    if (pending !== undefined) {
      const sent = sink.send(pending);
      if (sent === FAILED) {
        this.onSocketError(!isUp, () => sink.error);
        return;
      }
      if (sent > 0) state.release(sent);
      if (state.pending !== undefined) return;
    }
    this.#afterWrite(stream, state);
  }

  #afterWrite(stream: number, state: RelayStream): void {
    if (this.#closing) this.destroy();
    else if (state.ended) this.#finish(stream, state);
    else if (this.stage === STAGE_STREAM) {
      this.updateStream(stream, WAIT_STATUS_READING);
    } else if (stream === STREAM_DOWN) {
      this.updateStream(stream, WAIT_STATUS_INIT);
    }
  }

  #watch(socket: StreamSocket, events: number): void {
    const { loop } = this.relay;
    if (!loop.modify(socket, events)) loop.add(socket, events, this.relay);
  }

  #release(socket: StreamSocket, reset: boolean): void {
    this.relay.loop.remove(socket);
    this.relay.fd_to_handlers.delete(socket.fd);
    if (reset) socket.reset();
    else socket.close();
  }
}
