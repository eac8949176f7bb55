/**
 * TCP fast open (RFC 7413) over libc's calls: whether the system has it, and
 * the first data of a connect.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import {
  type EpollListener,
  type EpollStream,
  IPPROTO_TCP,
  MSG_NOSIGNAL,
} from "./_epoll_socket.ts";
import { EINPROGRESS, errnoName, type Libc } from "./_libc.ts";
import { toSockaddr } from "./_sockaddr.ts";

/** TCP_FASTOPEN of linux/tcp.h: its value is the length of the queue. */
const TCP_FASTOPEN = 23;
/** MSG_FASTOPEN of linux/socket.h. */
const MSG_FASTOPEN = 0x20000000;
/** What a system without fast open says to MSG_FASTOPEN. */
const NO_FAST_OPEN: ReadonlySet<string> = new Set([
  "EOPNOTSUPP", // switched off: net.ipv4.tcp_fastopen
  "ENOPROTOOPT",
  "ENOTCONN", // the flag is not known
  "EPIPE", // likewise
]);

const logger = getLogger(["shadowsocks", "loop"]);

/** The fast open of one poller; logs once if the system has none. */
export class FastOpen {
  readonly #libc: Libc;
  /** Whether connects may use it: the system has not refused it. */
  #canConnect = true;
  /** Whether it was logged that listeners have none. */
  #listenLogged = false;

  /**
   * Takes for granted that the system has it, until it says no.
   *
   * @param libc Has `sendto`.
   */
  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /**
   * Lets a listener take data with the SYN, if the system can.
   *
   * @param listener Bound, and not listening yet.
   * @param queue Most connections whose handshake has not ended.
   */
  listen(listener: EpollListener, queue: number): void {
    if (listener.setOption(IPPROTO_TCP, TCP_FASTOPEN, queue)) return;
    if (this.#listenLogged) return;
    this.#listenLogged = true;
    logger.error("warning: fast open is not available");
  }

  /**
   * Connects, with first data in the SYN where the system can.
   *
   * @param stream Not connected yet; its `fastOpenTaken` is set.
   * @param data The first data.
   * @returns Whether it connects; false: the system has no fast open.
   */
  connect(stream: EpollStream, data: Uint8Array): boolean {
    if (!this.#canConnect) return false;
    const sockaddr = toSockaddr(stream.remoteAddress);
    const count = this.#libc.symbols.sendto(
      stream.fd,
      data as Uint8Array<ArrayBuffer>,
      data.length,
      MSG_FASTOPEN | MSG_NOSIGNAL,
      sockaddr as Uint8Array<ArrayBuffer>,
      sockaddr.length,
    );
    stream.fastOpenTaken = Math.max(0, count);
    if (count >= 0) return true;
    const errno = this.#libc.errno();
    const code = errnoName(errno);
    if (NO_FAST_OPEN.has(code)) {
      stream.fastOpenTaken = undefined;
      this.#canConnect = false;
      logger.warn(
        "fast open not supported on this OS ({code}): connecting without it; see net.ipv4.tcp_fastopen",
        { code },
      );
      return false;
    }
    // Without a cookie of the other end it is an ordinary connect, which
    // brings the cookie; other errors are reported like those of a connect.
    if (errno !== EINPROGRESS) stream.error = code;
    return true;
  }
}
