/**
 * A TCP connection over `Deno.connect` and `Deno.TcpConn`: at most one read
 * and one write under way.
 *
 * A failure shows in the read or the write that meets it: while the mask does
 * not ask for POLL_IN and nothing is being sent, a reset stays unseen. Deno
 * has no SO_LINGER, so `reset` sends FIN, and a reset only if bytes were left
 * unread.
 *
 * @module
 */

import { type SocketAddress, UNSPECIFIED } from "./address.ts";
import { fillable } from "./_deno_buffers.ts";
import { errorCode } from "./_deno_errors.ts";
import {
  closeQuietly,
  DenoSocket,
  fromDenoAddress,
  type SocketHub,
} from "./_deno_socket.ts";
import { POLL_ERR, POLL_HUP, POLL_IN, POLL_OUT } from "./events.ts";
import { type StreamSocket, WOULD_BLOCK } from "./socket.ts";

/** The connection of the `deno` poller. */
export class DenoStream extends DenoSocket implements StreamSocket {
  /** Which of the three kinds it is. */
  readonly kind = "stream";
  #conn: Deno.TcpConn | undefined;
  #connecting: AbortController | undefined;
  #failure = "";
  #pendingError = "";
  #localAddress: SocketAddress | undefined;
  #remoteAddress: SocketAddress | undefined;
  /** Where the read under way, or the bytes not taken yet, are. */
  #input: Uint8Array | undefined;
  #inputStart = 0;
  #inputEnd = 0;
  #reading = false;
  /** Bytes of the last read. */
  #lastRead = 0;
  #ended = false;
  #output: Uint8Array | undefined;
  #outputStart = 0;
  #outputEnd = 0;
  /** Whether a write or the sending of FIN is under way. */
  #writing = false;
  #shutdown = false;
  #finSent = false;

  /**
   * Wraps a connection, or makes one to come.
   *
   * @param hub The poller's hub.
   * @param conn A connection, or undefined before {@linkcode connect}.
   */
  constructor(hub: SocketHub, conn?: Deno.TcpConn) {
    super(hub);
    if (conn !== undefined) this.#open(conn);
  }

  /** The bound address; unspecified while connecting. */
  get localAddress(): SocketAddress {
    if (this.#conn === undefined) return UNSPECIFIED;
    return this.#localAddress ??= fromDenoAddress(this.#conn.localAddr);
  }

  /** The other end. */
  get remoteAddress(): SocketAddress {
    return this.#remoteAddress ??= this.#conn === undefined
      ? UNSPECIFIED
      : fromDenoAddress(this.#conn.remoteAddr);
  }

  /**
   * Starts to connect.
   *
   * @param address Where to.
   */
  connect(address: SocketAddress): void {
    this.#remoteAddress = address;
    this.#connecting = new AbortController();
    // Older versions of Deno ignore the signal: a connection that is made after
    // `close` is then closed by `#onConnected`.
    const options = {
      hostname: address.host,
      port: address.port,
      signal: this.#connecting.signal,
    };
    Deno.connect(options).then(
      (conn) => this.#onConnected(conn),
      (error) => this.#onFailed(error),
    );
  }

  /** Reads; see the contract. */
  recv(
    buffer: Uint8Array,
    start: number = 0,
    end: number = buffer.length,
  ): number {
    if (this.closed) return this.refuse("EBADF");
    const available = this.#inputEnd - this.#inputStart;
    if (this.#reading || available === 0) {
      if (this.#failure !== "") return this.refuse(this.#failure);
      return this.#ended ? 0 : WOULD_BLOCK;
    }
    const length = Math.min(available, end - start);
    const inputStart = this.#inputStart;
    buffer.set(this.#input!.subarray(inputStart, inputStart + length), start);
    this.#inputStart += length;
    if (length === available) {
      this.#releaseInput();
      this.hub.changed(this);
    }
    return length;
  }

  /** Takes bytes to be sent; see the contract. */
  send(data: Uint8Array, end: number = data.length): number {
    if (this.closed) return this.refuse("EBADF");
    if (this.#failure !== "") return this.refuse(this.#failure);
    if (this.#shutdown) return this.refuse("EPIPE");
    if (this.#conn === undefined || this.#writing) return WOULD_BLOCK;
    if (end === 0) return 0;
    const output = this.hub.buffers.forWrite(end);
    const length = Math.min(end, output.length);
    output.set(length < data.length ? data.subarray(0, length) : data);
    this.#output = output;
    this.#outputStart = 0;
    this.#outputEnd = length;
    this.#write(this.#conn);
    return length;
  }

  /** Whether a write is under way. */
  get busy(): boolean {
    return this.#writing;
  }

  /** Sends FIN after all that `send` took. */
  shutdown(): void {
    if (this.closed || this.#shutdown || this.#failure !== "") return;
    this.#shutdown = true;
    if (this.#conn !== undefined && !this.#writing) this.#sendFin(this.#conn);
  }

  /** Starts what its mask asks for. */
  pump(): void {
    if (
      this.#conn === undefined || this.#reading || this.#ended ||
      this.#failure !== "" || this.#inputStart < this.#inputEnd
    ) return;
    this.#reading = true;
    this.#input = this.hub.buffers.forRead(this.#lastRead);
    this.#conn.read(fillable(this.#input)).then(
      (length) => this.#onRead(length),
      (error) => this.#onReadFailed(error),
    );
  }

  /** Everything that holds now, as a mask of `POLL_*`. */
  readiness(): number {
    if (this.#failure !== "") return POLL_IN | POLL_ERR | POLL_HUP;
    if (this.#conn === undefined) return 0;
    let mask = 0;
    if (this.#ended || this.#inputStart < this.#inputEnd) mask |= POLL_IN;
    if (!this.#writing && !this.#shutdown) mask |= POLL_OUT;
    if (this.#ended && this.#finSent) mask |= POLL_HUP;
    return mask;
  }

  /** Takes the pending error. */
  takeError(): string {
    const code = this.#pendingError;
    this.#pendingError = "";
    return code;
  }

  /** Closes; what `send` took is sent before, within a minute. */
  close(): void {
    this.#close(this.#writing);
  }

  /** Closes without waiting for what `send` took. */
  reset(): void {
    this.#close(false);
  }

  /** Closes at once; bytes under way may be lost. */
  abandon(): void {
    this.#close(false);
    this.#finish();
  }

  #fail(code: string): void {
    if (this.#failure !== "") return;
    this.#failure = this.#pendingError = this.error = code;
    this.hub.changed(this);
  }

  #close(linger: boolean): void {
    if (this.closed) return;
    this.closed = true;
    this.hub.closed(this);
    if (!this.#reading) this.#releaseInput();
    this.#connecting?.abort();
    if (linger) this.hub.linger(this);
    else this.#finish();
  }

  /** Closes the connection that has nothing under way any more. */
  #finish(): void {
    this.hub.lingered(this);
    if (this.#conn !== undefined) closeQuietly(this.#conn);
  }

  #open(conn: Deno.TcpConn): void {
    this.#conn = conn;
    try {
      conn.setNoDelay(true);
    } catch (error) {
      // The peer may have gone already; the first read will tell.
      this.error = errorCode(error);
    }
  }

  #onConnected(conn: Deno.TcpConn): void {
    this.#connecting = undefined;
    if (this.closed) return closeQuietly(conn);
    this.#open(conn);
    if (this.#shutdown) this.#sendFin(conn);
    this.hub.changed(this);
  }

  /** The connect has failed. */
  #onFailed(error: unknown): void {
    this.#connecting = undefined;
    if (!this.closed) this.#fail(errorCode(error));
  }

  #onRead(length: number | null): void {
    this.#reading = false;
    if (this.closed || length === null) {
      this.#releaseInput();
      this.#ended = true;
    } else {
      this.#inputStart = 0;
      this.#inputEnd = this.#lastRead = length;
    }
    this.hub.changed(this);
  }

  #onReadFailed(error: unknown): void {
    this.#reading = false;
    this.#releaseInput();
    if (!this.closed) this.#fail(errorCode(error));
  }

  #releaseInput(): void {
    const input = this.#input;
    this.#input = undefined;
    this.#inputStart = this.#inputEnd = 0;
    if (input !== undefined) this.hub.buffers.give(input);
  }

  #write(conn: Deno.TcpConn): void {
    this.#writing = true;
    conn.write(this.#output!.subarray(this.#outputStart, this.#outputEnd))
      .then(
        (length) => this.#onWritten(length),
        (error) => this.#onWriteFailed(error),
      );
  }

  #onWritten(length: number): void {
    this.#outputStart += length;
    const conn = this.#conn!;
    if (this.#outputStart < this.#outputEnd) return this.#write(conn);
    this.#releaseOutput();
    if (this.#shutdown) this.#sendFin(conn);
    else this.#outputDone();
  }

  #onWriteFailed(error: unknown): void {
    this.#releaseOutput();
    if (!this.closed) this.#fail(errorCode(error));
    this.#outputDone();
  }

  #releaseOutput(): void {
    const output = this.#output;
    this.#output = undefined;
    this.#outputStart = this.#outputEnd = 0;
    if (output !== undefined) this.hub.buffers.give(output);
  }

  #sendFin(conn: Deno.TcpConn): void {
    this.#writing = true;
    const done = (): void => this.#onFinSent();
    conn.closeWrite().then(done, done);
  }

  /** Sent or failed, nothing can follow FIN; a failure shows when reading. */
  #onFinSent(): void {
    this.#finSent = true;
    this.#outputDone();
  }

  #outputDone(): void {
    this.#writing = false;
    if (this.closed) this.#finish();
    else this.hub.changed(this);
  }
}
