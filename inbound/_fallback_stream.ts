/**
 * Connections of shadowsocks clients where whoever does not authenticate is
 * passed on to a web server, with every byte from the first one on.
 *
 * With the 2022 edition it is decided at the first bytes who is a stranger. The
 * older methods cannot tell before some 50 bytes have come, and a visitor of a
 * web server may have sent all that he has to say in fewer: `GET / HTTP/1.1`
 * and two line ends are 18. So there a client is a stranger too once it says
 * nothing more. That moment is the same for all strangers, whether their bytes
 * were few, wrong, or seen before: who is answered sooner or later than others
 * would learn how many bytes are read, or that a flight was genuine once. Only
 * what no client of ours begins with does not wait.
 *
 * @module
 */

import type {
  FinalRefusal,
  InboundAnswer,
  InboundStream,
  Refusal,
  Session,
  Status,
  StreamCodec,
  Target,
} from "../relay/mod.ts";
import type { Refused } from "../shadowsocks/mod.ts";
import { logRefusedConnection } from "./_shadowsocks_log.ts";
import { isWebRequest } from "./_web_request.ts";

/**
 * Milliseconds without a byte after which the bytes of an older method are a
 * stranger's. A client that writes salt and header apart has the second piece
 * on its way at once; if that is lost, it is sent again after three round trips
 * (RFC 6298, section 2), which are less than a second up to 330 ms each.
 */
const SILENCE = 1000;
/**
 * Bytes of a stranger with which no more are read until they are passed on.
 * Who sends a byte now and then is kept until the deadline, so this is what
 * each stranger can take up for that long; the last read comes on top of it,
 * for a moment. Web servers take no longer heads of requests by default.
 */
const MAX_KEPT = 16 * 1024;
/** What fewer bytes than can be told by, or those of a web client, stand for. */
const UNTOLD: Refused = {
  status: "auth_failed",
  reason: "authentication error",
};

/** What a {@linkcode FallbackStream} needs to know. */
export interface FallbackOptions {
  /** Whom strangers are passed on to. */
  readonly to: Target;
  /** How they are left if nobody is reached there. */
  readonly refusal: Refusal;
  /** Whether it takes silence to tell strangers. */
  readonly isPatient: boolean;
}

/** The client's side of one connection. */
export class FallbackStream implements InboundStream {
  readonly #inner: InboundStream;
  readonly #session: Session;
  readonly #options: FallbackOptions;
  /** What the inner stream has consumed; longer than what it holds. */
  #kept = new Uint8Array(0);
  #length = 0;
  /** Why the client is not served; undefined: not known, or it is. */
  #status: Status | undefined;
  #isPassed = false;
  /** Whether the client has sent anything. */
  #hasCome = false;

  /**
   * Makes the side.
   *
   * @param inner The side as it is without a fallback; owned. It logs why it
   * refuses.
   * @param session Its session.
   * @param options What happens to strangers.
   */
  constructor(
    inner: InboundStream,
    session: Session,
    options: FallbackOptions,
  ) {
    this.#inner = inner;
    this.#session = session;
    this.#options = options;
  }

  /** Absent for who is passed on: the bytes go as they are. */
  get codec(): StreamCodec | undefined {
    return this.#isPassed ? undefined : this.#inner.codec;
  }

  /** As without a fallback; who sends nothing gives nothing to look at. */
  get hidesWork(): boolean {
    return this.#hasCome && this.#inner.hidesWork === true;
  }

  /**
   * As without a fallback; but who sends nothing is closed, as web servers do:
   * its end is answered at once, and its time ends without a reset.
   */
  get resetsStrangers(): boolean {
    return this.#hasCome && this.#inner.resetsStrangers === true;
  }

  /**
   * Takes bytes until the client is authentic or a stranger.
   *
   * @param data Bytes that came and were not consumed yet.
   * @param output Room for what is decoded.
   * @returns What they are.
   */
  receive(data: Uint8Array, output: Uint8Array): InboundAnswer {
    const { isPatient } = this.#options;
    this.#hasCome ||= data.length > 0;
    if (this.#status !== undefined) return this.#awaitSilence(data);
    if (isPatient && this.#length === 0 && isWebRequest(data)) {
      return this.onSilence(data);
    }
    const answer = this.#inner.receive(data, output);
    switch (answer.kind) {
      case "more":
        if (data.length === 0) return answer;
        this.#keep(data.subarray(0, answer.consumed));
        return isPatient ? { ...answer, silence: SILENCE } : answer;
      case "refuse":
        this.#status = answer.status;
        this.#session.statusIfClientCloses = answer.status;
        return isPatient ? this.#awaitSilence(data) : this.onSilence(data);
      case "request":
      case "associate":
        this.#forget();
        return answer;
    }
  }

  /**
   * Passes the client on, who is a stranger.
   *
   * @param data Bytes that were not consumed.
   * @returns Where to, with all bytes.
   */
  onSilence(data: Uint8Array): InboundAnswer {
    if (this.#status === undefined) {
      logRefusedConnection(this.#session.client, UNTOLD);
      this.#status = UNTOLD.status;
    }
    this.#keep(data);
    const payload = this.#kept.subarray(0, this.#length);
    this.#forget();
    this.#isPassed = true;
    const { to: target } = this.#options;
    const stranger = this.#status;
    const consumed = data.length;
    return { kind: "request", consumed, target, payload, stranger };
  }

  /** Says nothing. */
  connected(): Uint8Array | undefined {
    return this.#isPassed ? undefined : this.#inner.connected();
  }

  /**
   * Tells how the client is left.
   *
   * @param failure Why its target was not reached, or the fallback.
   */
  failed(failure: Parameters<InboundStream["failed"]>[0]): Refusal {
    return this.#isPassed ? this.#options.refusal : this.#inner.failed(failure);
  }

  /** Bytes of an authentic client were altered: nobody is passed on any more. */
  onCodecFailed(): FinalRefusal {
    return this.#inner.onCodecFailed?.() ??
      { status: "error", ending: "reset" };
  }

  [Symbol.dispose](): void {
    this.#forget();
    this.#inner[Symbol.dispose]();
  }

  /** The client is a stranger: it is passed on when all have come to that. */
  #awaitSilence(data: Uint8Array): InboundAnswer {
    this.#keep(data);
    const consumed = data.length;
    const isFull = this.#length >= MAX_KEPT;
    return { kind: "more", consumed, silence: SILENCE, isFull };
  }

  #keep(data: Uint8Array): void {
    const length = this.#length + data.length;
    if (length > this.#kept.length) {
      // Twice as long: bytes that come one by one are not copied each time.
      const twice = Math.min(2 * this.#kept.length, MAX_KEPT);
      const longer = new Uint8Array(Math.max(length, twice));
      longer.set(this.#kept.subarray(0, this.#length));
      this.#kept = longer;
    }
    this.#kept.set(data, this.#length);
    this.#length = length;
  }

  #forget(): void {
    this.#kept = new Uint8Array(0);
    this.#length = 0;
  }
}
