/**
 * What the three kinds of socket over Deno's promises have in common: their
 * state is a mask of what could be done now, which the hub asks for.
 *
 * @module
 */

import { SocketAddress, UNSPECIFIED } from "./address.ts";
import type { Buffers } from "./_deno_buffers.ts";
import type { DescriptorBudget } from "./descriptors.ts";
import { parseIp } from "./ip.ts";
import { FAILED, type Socket } from "./socket.ts";

/** The mask of a socket that is not registered. */
export const UNREGISTERED: number = -1;

/** What a socket needs of its poller. */
export interface SocketHub {
  /** Lends memory to reads and writes under way. */
  readonly buffers: Buffers;
  /** The descriptors that sockets may have. */
  readonly budget: DescriptorBudget;
  /** Gives the next descriptor; none is given twice. */
  nextFd(): number;
  /** Takes a new socket in, to close it with the poller at the latest. */
  opened(socket: DenoSocket): void;
  /** Has the socket looked at before the next batch: its state has changed. */
  changed(socket: DenoSocket): void;
  /** Reports nothing of the socket from now on. */
  closed(socket: DenoSocket): void;
  /** Holds a closed socket whose last bytes are still under way. */
  linger(socket: DenoSocket): void;
  /** Ends what {@linkcode linger} began. */
  lingered(socket: DenoSocket): void;
}

/** The part of a socket that the hub works with. */
export abstract class DenoSocket implements Socket {
  /** Which of the three kinds it is. */
  abstract readonly kind: Socket["kind"];
  /** The bound address, with the port the system chose. */
  abstract readonly localAddress: SocketAddress;
  /** The number that the hub gave it. */
  readonly fd: number;
  /** The errno name of the last failure, else `""`. */
  error = "";
  /** Whether it is closed. */
  closed = false;
  /** The mask it is registered with, else {@linkcode UNREGISTERED}. */
  mode: number = UNREGISTERED;
  /** Whether the hub has it in its queue. */
  queued = false;
  /** The poller's hub. */
  protected readonly hub: SocketHub;

  /**
   * Takes the next descriptor.
   *
   * @param hub The poller's hub.
   */
  constructor(hub: SocketHub) {
    this.hub = hub;
    this.fd = hub.nextFd();
    hub.opened(this);
  }

  /** Starts what its mask asks for: a read, an accept. */
  abstract pump(): void;
  /** Everything that holds now, wanted or not, as a mask of `POLL_*`. */
  abstract readiness(): number;
  /** Takes the pending error. */
  abstract takeError(): string;
  /** Closes it. */
  abstract close(): void;
  /** Closes at once; bytes under way may be lost. */
  abstract abandon(): void;

  /** Closes it. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Notes why a call fails.
   *
   * @param code The errno name.
   * @returns What the call returns.
   */
  protected refuse(code: string): number {
    this.error = code;
    return FAILED;
  }

  /** Whether it is registered for all of `mask`. */
  protected wants(mask: number): boolean {
    return this.mode !== UNREGISTERED && (this.mode & mask) === mask;
  }
}

/**
 * Turns Deno's form of an address into ours; IPv4-mapped becomes IPv4.
 *
 * @param address As Deno gives it.
 * @returns The address, unspecified if Deno gave none.
 */
export function fromDenoAddress(address: Deno.Addr): SocketAddress {
  if (!("hostname" in address)) return UNSPECIFIED;
  const bytes = parseIp(address.hostname);
  if (bytes === undefined) return UNSPECIFIED;
  return SocketAddress.fromBytes(bytes, address.port);
}

/**
 * Closes a resource of Deno; one that is closed already is left alone.
 *
 * @param resource Such as a connection.
 */
export function closeQuietly(resource: { close(): void }): void {
  try {
    resource.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
