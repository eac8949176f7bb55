/**
 * For the tests of this folder: name servers on the fake network of the loop.
 *
 * @module
 */

import { type FakeDatagram, FakeNet, type FakeStream } from "../loop/fakes.ts";
import { type SocketAddress, SocketError } from "../loop/mod.ts";
import { concat } from "../tests/support/bytes.ts";

/** Sends a datagram back after `delay` ms; `from` forges the sender. */
export type Reply = (
  data: Uint8Array,
  options?: { readonly delay?: number; readonly from?: SocketAddress },
) => void;

/** What stands on the other side of the fake network. */
export interface FakePeers {
  /** Gets every datagram. */
  onDatagram(query: Uint8Array, server: SocketAddress, reply: Reply): void;
  /**
   * Gets every whole message sent over TCP, and gives the pieces to send
   * back, one each millisecond, before the end. Absent: every connection is
   * refused.
   */
  onTcp?(query: Uint8Array, server: SocketAddress): readonly Uint8Array[];
}

/** Bytes that one TCP send takes, so that the rest has to be sent later. */
const TCP_SEND = 7;

/** The fake network, with name servers in it. */
export class FakeServers extends FakeNet {
  /** Makes `bindUdp` fail, as without descriptors. */
  refuseBind = false;
  /** Says where `sendTo` fails, as without a route. */
  unreachable: (address: SocketAddress) => boolean = () => false;
  readonly #peers: FakePeers;

  constructor(peers: FakePeers) {
    super(1_000_000);
    this.#peers = peers;
    this.poller.onBind = (socket) => this.#serveUdp(socket);
    this.poller.onConnect = (stream) => this.#serveTcp(stream);
  }

  #serveUdp(socket: FakeDatagram): void {
    if (this.refuseBind) throw new SocketError("EMFILE", "Cannot bind: fake");
    const { poller } = this;
    socket.onSendTo = (query, server) => {
      if (this.unreachable(server)) return false;
      const reply: Reply = (data, { delay = 0, from = server } = {}) =>
        poller.after(delay, () => socket.bring(data, from));
      poller.after(0, () => this.#peers.onDatagram(query, server, reply));
      return true;
    };
  }

  #serveTcp(stream: FakeStream): void {
    const { poller } = this;
    const onTcp = this.#peers.onTcp?.bind(this.#peers);
    if (onTcp === undefined) {
      poller.after(1, () => stream.fail("ECONNREFUSED"));
      return;
    }
    poller.after(1, () => stream.establish());
    stream.mostPerSend = TCP_SEND;
    let sent: Uint8Array = new Uint8Array(0);
    stream.onSend = (taken) => {
      sent = concat(sent, taken);
      // The length in two bytes, then the query (RFC 7766, section 8).
      if (sent.length < 2 || sent.length !== 2 + (sent[0]! << 8 | sent[1]!)) {
        return;
      }
      const pieces = onTcp(sent.subarray(2), stream.remoteAddress);
      pieces.forEach((piece, i) =>
        poller.after(1 + i, () => stream.bring(piece))
      );
      poller.after(1 + pieces.length, () => stream.end());
    };
  }
}
