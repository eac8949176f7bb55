/**
 * The unix datagram socket over libc's calls.
 *
 * ```text
 * sockaddr_un   family(2, host order) path(up to 108, ended by 0)
 * ```
 *
 * @module
 */

import { type SocketAddress, UNSPECIFIED } from "./address.ts";
import { EpollSocket, MSG_NOSIGNAL } from "./_epoll_socket.ts";
import { encodePath, SocketFile } from "./_unix.ts";
import { type DatagramSocket, FAILED } from "./socket.ts";
import { UnixAddress } from "./unix.ts";

/** AF_UNIX. */
export const AF_UNIX: number = 1;
const FAMILY_LENGTH = 2;
const PATH_LENGTH = 108;

const NO_NAME = new Uint8Array(0);
const decoder = new TextDecoder();
const addressBytes = new Uint8Array(FAMILY_LENGTH + PATH_LENGTH);
const addressLength = new Uint32Array(1);

/**
 * The system's form of the path of a socket.
 *
 * @param path The path.
 * @returns A sockaddr_un.
 * @throws {SocketError} If the path is too long for the system.
 */
export function toSockaddrUn(path: string): Uint8Array<ArrayBuffer> {
  const name = encodePath(path);
  const bytes = new Uint8Array(FAMILY_LENGTH + name.length + 1);
  bytes[0] = AF_UNIX;
  bytes.set(name, FAMILY_LENGTH);
  return bytes;
}

/** A unix datagram socket. */
export class EpollUnixDatagram extends EpollSocket
  implements DatagramSocket<UnixAddress> {
  /** Which of the three kinds it is. */
  readonly kind = "datagram";
  /** Who sent the datagram received last. */
  sender: UnixAddress = new UnixAddress("");
  #file: SocketFile | undefined;

  /** Unspecified. */
  override get localAddress(): SocketAddress {
    return UNSPECIFIED;
  }

  /**
   * Notes that the socket was bound: from now on it owns the file.
   *
   * @param path The path it was bound to.
   */
  bound(path: string): void {
    this.#file = new SocketFile(path);
  }

  /** Reads one datagram; see the contract. */
  recvFrom(buffer: Uint8Array): number {
    addressLength[0] = addressBytes.length;
    const count = this.owner.libc.symbols.recvfrom(
      this.descriptor,
      buffer as Uint8Array<ArrayBuffer>,
      buffer.length,
      0,
      addressBytes,
      addressLength,
    );
    if (count < 0) return this.fail();
    this.sender = fromSockaddrUn(addressBytes.slice(0, addressLength[0]));
    return count;
  }

  /** Sends one datagram; see the contract. */
  sendTo(data: Uint8Array, address: UnixAddress): number {
    const native = address.native ??
      (address.path === "" ? NO_NAME : toSockaddrUn(address.path));
    if (native.length <= FAMILY_LENGTH) {
      this.error = "EDESTADDRREQ";
      return FAILED;
    }
    const count = this.owner.libc.symbols.sendto(
      this.descriptor,
      data as Uint8Array<ArrayBuffer>,
      data.length,
      MSG_NOSIGNAL,
      native as Uint8Array<ArrayBuffer>,
      native.length,
    );
    return count >= 0 ? count : this.fail();
  }

  /** Sends one datagram: none is ever sent with others. */
  sendAlone(data: Uint8Array, address: UnixAddress): number {
    return this.sendTo(data, address);
  }

  /** Closes it and removes its file. */
  override close(): void {
    super.close();
    this.#file?.remove();
    this.#file = undefined;
  }
}

/** A name as the system gives it; an abstract one begins with a zero byte. */
function fromSockaddrUn(bytes: Uint8Array): UnixAddress {
  const name = bytes.subarray(FAMILY_LENGTH);
  if (name[0] === 0) return new UnixAddress("", bytes);
  const end = name.indexOf(0);
  return new UnixAddress(
    decoder.decode(end < 0 ? name : name.subarray(0, end)),
    bytes,
  );
}
