/**
 * The original's TCPRelayHandler: one for each connection. It holds the client's
 * side (an inbound's stream), the far side (an outbound's stream) and the pipe
 * between them, and leads the connection from stage to stage.
 *
 * ```text
 * inbound.receive → router.route → route.pick → outbound.open → Connector
 *   → handshake of proxies → inbound.connected → pipe → session.end
 * ```
 *
 * @module
 */

import {
  FAILED,
  POLL_ERR,
  POLL_HUP,
  POLL_IN,
  POLL_OUT,
  type Socket,
  SocketAddress,
  type StreamSocket,
} from "../loop/mod.ts";
import {
  STAGE_CONNECTING,
  STAGE_DESTROYED,
  STAGE_DNS,
  STAGE_DRAINING,
  STAGE_FAST_OPEN,
  STAGE_INIT,
  STAGE_STREAM,
  STAGE_UDP_ASSOC,
  STREAM_UP,
  WAIT_STATUS_INIT,
  WAIT_STATUS_READING,
  WAIT_STATUS_WRITING,
} from "./constants.ts";
import { logPipeFailed, logRequest, logTimeOut } from "./connection_log.ts";
import { associate, awaitSilence, converse } from "./converse.ts";
import { Dialer, type DialerOwner } from "./dialer.ts";
import { FallbackOutbound, unobserved } from "./fallback.ts";
import { FirstFlight } from "./first_flight.ts";
import type {
  Ending,
  FinalRefusal,
  InboundAnswer,
  InboundStream,
  MoreAnswer,
  RequestAnswer,
} from "./inbound.ts";
import type { Outbound, OutboundStream } from "./outbound.ts";
import { Pipe, type PipeOwner } from "./pipe.ts";
import {
  ListedConnection,
  type RelayContext,
  type RelayedConnection,
} from "./relay_context.ts";
import type { Session } from "./session.ts";
import { withoutHandshake } from "./spent_inbound.ts";
import type { Failure, Status } from "./status.ts";

const EMPTY = new Uint8Array(0);
const NOT_UNDERSTOOD: FinalRefusal = { status: "error", ending: "reset" };

/** One relayed connection. */
export class TCPRelayHandler extends ListedConnection
  implements RelayedConnection, DialerOwner, PipeOwner {
  /** `STAGE_*`. */
  stage: number = STAGE_INIT;
  /** What is being relayed. */
  session: Session;
  readonly #relay: RelayContext;
  readonly #client: StreamSocket;
  #inbound: InboundStream;
  readonly #pipe: Pipe;
  /** What leads to the far side, once that is reached. */
  #outbound: Outbound | undefined;
  /** The first bytes for the far side, while they are not sent. */
  #first: FirstFlight | undefined;
  /** While the far side is looked for. */
  #dialer: Dialer | undefined;
  /** Ends what is waited for, or a UDP association. */
  #cancel: (() => void) | undefined;
  /** True once the client was told that the target is reached. */
  #replied = false;
  #endedByFarSide = false;
  /** The status of a connection that ends with its last byte. */
  #finalStatus: Status = "ok";

  /**
   * Takes a connection over; `start` begins.
   *
   * @param relay The listener that accepted the connection.
   * @param client The accepted socket; owned from now on.
   */
  constructor(relay: RelayContext, client: StreamSocket) {
    super();
    this.#relay = relay;
    this.#client = client;
    this.session = relay.newSession(client);
    this.#inbound = relay.inbound.accept(this.session);
    this.#pipe = new Pipe(relay, this, client);
    relay.fd_to_handlers.set(client.fd, this);
  }

  /** Begins with the client, or with the target of a tunnel. */
  start(): void {
    const { router } = this.#relay;
    const rule = router.checksClients
      ? router.refusesClient(this.session.client)
      : undefined;
    if (rule !== undefined) {
      this.session.rule = rule;
      return this.destroy("blocked", { reset: true });
    }
    this.#pipe.updateStream(this.#pipe.up, WAIT_STATUS_READING);
    this.#receive(EMPTY);
  }

  /** Handles one event of one of the sockets: error, read, write. */
  handleEvent(socket: Socket, event: number): void {
    if (this.stage === STAGE_DESTROYED) return;
    const { up, down } = this.#pipe;
    const isClient = socket === this.#client;
    if (!isClient && socket !== down.source) {
      this.#dialer?.handleEvent(socket, event);
      return;
    }
    const isStream = this.stage === STAGE_STREAM;
    const stream = isClient ? up : down;
    const failed = (event & POLL_ERR) !== 0;
    if ((event & POLL_IN) !== 0 && (isStream || !failed)) {
      // What came before a reset is delivered; the last read fails.
      if (isStream) this.#pipe.pump(stream);
      else if (isClient) this.#onClientRead();
      if (this.isDestroyed()) return;
    } else if (failed && !(isStream && stream.pending !== undefined)) {
      return this.onPipeFailed(isClient, socket.takeError());
    } else if ((event & (POLL_HUP | POLL_ERR)) !== 0) {
      // The socket's peer has closed both directions, or reset, and its bytes
      // are not read at present. The poller would report that in every turn of
      // the loop, so the socket is not watched until its bytes are read again.
      this.#relay.loop.remove(socket);
    }
    // Reading may have led to another request, with no far side yet.
    const isEnd = isClient || socket === up.sink;
    if ((event & POLL_OUT) !== 0 && isEnd && !failed) {
      this.#pipe.flush(isClient ? down : up);
    }
    if (!this.isDestroyed() && this.#inbound.finished === true) {
      this.#nextRequest();
    }
  }

  /** True once the connection is over. */
  isDestroyed(): boolean {
    return this.stage === STAGE_DESTROYED;
  }

  /**
   * True while datagrams flow for the association that it holds, or the system
   * sends what it was given before.
   */
  keepsAlive(): boolean {
    if (this.stage === STAGE_STREAM) return this.#pipe.isMoving();
    return this.stage === STAGE_UDP_ASSOC &&
      this.#relay.udpRelay?.isActive(this.session.client.host) === true;
  }

  /** Ends the connection because it was idle, or showed no request in time. */
  timeOut(): void {
    logTimeOut(this.session, this.stage === STAGE_DRAINING);
    this.abort("timeout");
  }

  /**
   * Ends the connection from outside. Where a direction is open it is reset: a
   * clean end would let what was cut look whole. One without a request, or
   * between two of them, or that holds an association, is closed; so is a side
   * that was sent everything and the end, which it may not have read yet.
   *
   * @param status How the session ends.
   */
  abort(status: Status): void {
    const isOpen = this.session.target !== undefined &&
      this.stage !== STAGE_DRAINING && this.#inbound.idle !== true;
    const isReset = isOpen || this.#resetsStranger();
    // For bytes that are not read the system would send a reset instead of it.
    if (!isReset) this.#client.shutdown();
    for (const { sink, finished } of [this.#pipe.up, this.#pipe.down]) {
      if (finished && sink !== undefined) this.#release(sink, false);
    }
    this.destroy(status, { reset: isReset });
  }

  /**
   * Ends the connection. Three things hold when it returns: all its sockets
   * are closed, the loop and the listener know neither of them nor the
   * handler, and no callback of it will do anything. Calling it again does
   * nothing.
   *
   * @param status How the session ends, if it has not ended before.
   * @param options `reset`: the sockets are reset, not closed cleanly.
   */
  destroy(status: Status, { reset = false } = {}): void {
    if (this.stage === STAGE_DESTROYED) return;
    this.stage = STAGE_DESTROYED;
    this.#endSession(status);
    if (reset && !this.#relay.loop.poller.resets) this.#pipe.cut();
    this.#leaveRemote(reset);
    this.#release(this.#client, reset);
    this.#pipe.clear();
    this.#inbound[Symbol.dispose]();
    this.#relay.removeHandler(this);
  }

  /** Takes a socket that is being connected. */
  onSocket(socket: StreamSocket): void {
    this.stage = STAGE_CONNECTING;
    this.#relay.fd_to_handlers.set(socket.fd, this);
  }

  /** Lets go of a socket that could not be connected. */
  onSocketFailed(socket: StreamSocket): void {
    this.#release(socket, false);
  }

  /** The outbound is open: says so, and lets payload flow. */
  onEstablished(
    socket: StreamSocket,
    stream: OutboundStream,
    outbound: Outbound,
    rest: Uint8Array | undefined,
  ): void {
    this.#dialer = undefined;
    this.#outbound = outbound;
    this.stage = STAGE_STREAM;
    const pipe = this.#pipe;
    const first = this.#first!;
    pipe.setRemote(socket, stream.codec, rest);
    const sealed = first.settle(socket, stream);
    if (sealed !== undefined) {
      this.session.moved(STREAM_UP, sealed, 0);
      if (socket.fastOpenTaken === undefined) this.#relay.fastOpen = false;
    }
    this.reply();
    if (this.isDestroyed()) return;
    pipe.start(this.#inbound.codec);
    if (this.isDestroyed()) return;
    first.send(stream, () => this.#first = undefined);
    if (rest !== undefined && !this.isDestroyed()) pipe.moveRest();
    if (this.isDestroyed()) return;
    // Without a valid request: it was passed on.
    if (this.listed) this.#relay.keepStranger(this);
    this.#inbound = withoutHandshake(this.#inbound);
  }

  /** Tells the client that the target is reached, unless it knows. */
  reply(): void {
    if (this.#replied) return;
    this.#replied = true;
    const reply = this.#inbound.connected();
    if (reply !== undefined) this.#pipe.write(this.#pipe.down, reply);
  }

  /** No outbound reaches the target: tells the client. */
  onUnreached(failure: Failure): void {
    if (this.#replied) return this.destroy(failure.status, { reset: true });
    const { ending, reply } = this.#inbound.failed(failure);
    this.#leave(failure.status, ending, reply);
  }

  /** Counts reading and writing as activity. */
  onActivity(): void {
    this.#relay.updateActivity(this);
  }

  /** A socket failed, most often by a reset: the other one is reset too. */
  onPipeFailed(isClient: boolean, code: string): void {
    logPipeFailed(this.session, isClient, code);
    if (!isClient && this.onTargetEnd()) return;
    this.destroy(isClient ? "client_reset" : "target_reset", { reset: true });
  }

  /** Ends the connection as the protocol of that side has it. */
  onCodecFailed(isClient: boolean): void {
    if (isClient) {
      const refusal = this.#inbound.onCodecFailed?.() ?? NOT_UNDERSTOOD;
      return this.#leave(refusal.status, refusal.ending, refusal.reply);
    }
    const { source, decoder } = this.#pipe.down;
    this.#outbound?.onCodecFailed?.(source!.remoteAddress, decoder?.skew);
    this.destroy("server_failed", { reset: true });
  }

  /** The far side has sent its end; a client may have another request. */
  onTargetEnd(): boolean {
    this.#endedByFarSide ||= !this.#pipe.up.ended;
    const end = this.#inbound.onTargetEnd?.() ?? "pass";
    if (end === "pass") return false;
    if (end === "next") this.#nextRequest();
    else this.#leave(end.status, end.ending, end.reply);
    return true;
  }

  /** Everything was sent. */
  onPipeEnd(): void {
    const { quietEnds } = this.#relay;
    const isTaken = quietEnds.takes(this, this.#inbound, this.#pipe);
    if (!isTaken) this.destroy(this.#finalStatus);
  }

  /** The client has sent something before the stream stage, or its end. */
  #onClientRead(): void {
    const { up } = this.#pipe;
    const start = up.carry?.length ?? 0;
    const length = this.#pipe.read(up);
    if (length > 0) {
      // Of the refused too: by its last bytes a stranger's end is answered.
      this.onActivity();
      if (this.stage === STAGE_DRAINING) return;
      this.session.moved(STREAM_UP, 0, length - start);
      const data = this.#relay.buffers.input.subarray(0, length);
      if (this.stage === STAGE_FAST_OPEN) {
        up.carry = data.slice();
        this.#dialer?.sendFirst();
      } else if (this.stage === STAGE_INIT) this.#receive(data);
      else if (this.stage !== STAGE_UDP_ASSOC) up.carry = data.slice();
    } else if (length === 0) {
      // An end without payload is read again, and passed on, once connected.
      if (this.stage === STAGE_FAST_OPEN) this.#dialer?.sendFirst();
      else if (this.stage === STAGE_INIT && this.#cancel !== undefined) {
        this.#pipe.updateStream(up, WAIT_STATUS_INIT);
      } else if (this.#resetsStranger()) this.destroy("ok", { reset: true });
      else {
        const isCut = start > 0 && this.stage !== STAGE_UDP_ASSOC;
        this.#finalStatus = isCut ? "client_reset" : "ok";
        this.#pipe.endAfterWrite();
      }
    } else if (length === FAILED) {
      this.onPipeFailed(true, this.#client.error);
    }
  }

  /** Gives the inbound what has come, and does what it says. */
  #receive(data: Uint8Array): void {
    const { output } = this.#relay.buffers;
    const context = { output, pipe: this.#pipe, owner: this };
    const answer = converse(this.#inbound, data, context);
    if (!this.isDestroyed()) this.#follow(answer);
  }

  /** Does what an inbound says. */
  #follow(answer: InboundAnswer): void {
    switch (answer.kind) {
      case "more":
        return this.#awaitSilence(answer);
      case "refuse":
        return this.#leave(answer.status, answer.ending, answer.reply);
      case "associate":
        return this.#associate(answer.port);
      case "request":
        return this.#onRequest(answer);
    }
  }

  /** The inbound decides once nothing more comes. */
  #awaitSilence(answer: MoreAnswer): void {
    this.#stopWaiting();
    if (answer.silence === undefined) return;
    this.#cancel = awaitSilence(answer, this.#relay, this.#pipe, this);
  }

  /** Nothing has come for as long as the inbound wants. */
  onSilence(): void {
    this.#stopWaiting();
    const answer = this.#inbound.onSilence?.(this.#pipe.up.carry ?? EMPTY);
    this.#pipe.up.carry = undefined;
    if (answer !== undefined) this.#follow(answer);
  }

  #stopWaiting(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #onRequest({ target, payload, stranger }: RequestAnswer): void {
    this.#stopWaiting();
    if (stranger === undefined) this.#relay.endHandshake(this);
    else {
      this.#endSession(stranger);
      this.session = unobserved(this.session, this.#client);
    }
    this.session.target = target;
    logRequest(this.session, stranger);
    this.stage = STAGE_DNS;
    const pipe = this.#pipe;
    pipe.updateStream(pipe.up, WAIT_STATUS_WRITING);
    this.#first = new FirstFlight(this.#relay, pipe, this.#inbound);
    if (payload !== undefined && payload.length > 0) this.#first.keep(payload);
    const { session } = this;
    const options = { target, session, first: this.#first };
    this.#dialer = new Dialer(this.#relay, this, options);
    if (stranger === undefined) this.#dialer.ask();
    else this.#dialer.start(new FallbackOutbound(target));
  }

  #associate(port: number): void {
    const { udpRelay } = this.#relay;
    if (udpRelay === undefined || this.#inbound.associated === undefined) {
      return this.#leave("error", "close");
    }
    this.stage = STAGE_UDP_ASSOC;
    this.#relay.endHandshake(this);
    this.#cancel = associate(udpRelay, this.session, port);
    const { bytes } = this.#client.localAddress;
    const address = new SocketAddress(bytes, udpRelay.listenPort);
    this.#pipe.write(this.#pipe.down, this.#inbound.associated(address));
  }

  /** Leaves a client that is not served (any more). */
  #leave(status: Status, ending: Ending, reply?: Uint8Array): void {
    this.#endSession(status);
    if (reply !== undefined) this.#pipe.write(this.#pipe.down, reply);
    if (this.isDestroyed()) return;
    const { poller } = this.#relay.loop;
    const isVain = this.#inbound.resetsStrangers === true && !poller.resets;
    switch (ending === "reset" && isVain ? "drain" : ending) {
      case "reset":
        return this.destroy(status, { reset: true });
      case "drain":
        this.#client.shutdown();
        return this.#drain();
      case "silent":
        return this.#drain();
      case "close":
        this.#leaveRemote(false);
        this.#finalStatus = status;
        this.#pipe.endAfterWrite();
    }
  }

  /** Refuses the client: reads on, says nothing, forgets. */
  #drain(): void {
    this.stage = STAGE_DRAINING;
    this.#leaveRemote(true);
    this.#cancel = this.#relay.watchDraining(this);
    this.#pipe.clear();
    this.#pipe.stop();
    this.#pipe.updateStream(this.#pipe.up, WAIT_STATUS_READING);
  }

  /** The client's connection goes on with another request, or is closed. */
  #nextRequest(): void {
    if (this.#inbound.closes === true) return this.#leave("ok", "close");
    this.#endSession("ok");
    this.#leaveRemote(false);
    this.#pipe.stop();
    this.stage = STAGE_INIT;
    this.#replied = this.#endedByFarSide = false;
    this.session = this.#relay.newSession(this.#client);
    this.#relay.inbound.next?.(this.#inbound, this.session);
    this.#pipe.updateStream(this.#pipe.up, WAIT_STATUS_READING);
    if (this.#pipe.up.carry) this.#receive(this.#pipe.up.carry);
  }

  /** Lets go of everything on the far side. */
  #leaveRemote(reset: boolean): void {
    this.#first?.cancel();
    this.#stopWaiting();
    this.#dialer?.cancel();
    this.#dialer = undefined;
    const { up, down } = this.#pipe;
    if (down.source !== undefined) this.#release(down.source, reset);
    up.encoder?.[Symbol.dispose]();
    this.#pipe.setRemote(undefined);
    this.#first = this.#outbound = undefined;
  }

  /** True for a client that has shown no request, and is to be reset. */
  #resetsStranger(): boolean {
    return this.stage === STAGE_INIT && this.#inbound.resetsStrangers === true;
  }

  #endSession(status: Status): void {
    const { session } = this;
    if (session.status !== undefined) return;
    session.end(status, this.#relay.loop.time() * 1000);
    if (session.up === 0) return;
    if (session.down > 0) this.#outbound?.onAnswered?.();
    else this.#outbound?.onUnanswered?.(session, this.#endedByFarSide);
  }

  #release(socket: StreamSocket, reset: boolean): void {
    this.#relay.loop.remove(socket);
    this.#relay.fd_to_handlers.delete(socket.fd);
    if (reset) socket.reset();
    else socket.close();
  }
}
