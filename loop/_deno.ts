/**
 * The poller that works on every system: Deno's own sockets, whose promises
 * it turns into readiness.
 *
 * What Deno cannot do is left out: TCP fast open, with a word in the log, and
 * quietly SO_REUSEPORT for UDP and SO_LINGER. A UDP socket bound to all
 * addresses does not tell which was asked, and its answers leave from the one
 * that the system chooses; on a machine with several the log says so. Versions of Deno that do not take
 * the length of the accept queue use their own. A descriptor limit met while
 * connecting arrives as POLL_ERR.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { SocketAddress } from "./address.ts";
import { DescriptorBudget } from "./descriptors.ts";
import { DenoDatagram, udpForm, UNIX_FORM } from "./_deno_datagram.ts";
import { socketError } from "./_deno_errors.ts";
import { DenoHub } from "./_deno_hub.ts";
import { DenoListener } from "./_deno_listener.ts";
import { DenoSocket, UNREGISTERED } from "./_deno_socket.ts";
import { isUnspecifiedIp } from "./ip.ts";
import { DenoStream } from "./_deno_stream.ts";
import { DenoUnixConn } from "./_deno_unix.ts";
import type {
  BindOptions,
  ConnectOptions,
  ListenOptions,
  Poller,
} from "./poller.ts";
import {
  type DatagramSocket,
  type ListenerSocket,
  type Socket,
  SocketError,
  type StreamSocket,
} from "./socket.ts";
import type { UnixAddress } from "./unix.ts";

/** Length of the accept queue, as the Python shadowsocks asks for it. */
const DEFAULT_BACKLOG = 1024;

const logger = getLogger(["shadowsocks", "loop"]);

/** Makes sockets out of Deno's, and readiness out of its promises. */
export class DenoPoller implements Poller {
  /** The name that `--event-loop` takes. */
  readonly name = "deno";
  /** It cannot block the thread. */
  readonly blocking = false;
  /** Deno closes a socket once the operations under way on it have ended. */
  readonly closesAtOnce = false;
  readonly resets = false;
  /** `Deno.listenDatagram` does not set SO_REUSEPORT. */
  readonly sharesUdpPorts = false;
  /** Deno does not set IPV6_V6ONLY, which is the default of Windows alone. */
  readonly splitsFamilies: boolean = Deno.build.os === "windows";
  /** Descriptors of the last batch. */
  readonly readyFds: Int32Array;
  /** Masks of the last batch. */
  readonly readyEvents: Int32Array;
  /** The descriptors that its sockets may have. */
  readonly budget: DescriptorBudget;
  readonly #hub: DenoHub;
  #fastOpenLogged = false;

  /**
   * Makes a poller without sockets.
   *
   * @param budget The descriptors that its sockets may have.
   */
  constructor(budget: DescriptorBudget = new DescriptorBudget()) {
    this.budget = budget;
    this.#hub = new DenoHub(budget);
    this.readyFds = this.#hub.fds;
    this.readyEvents = this.#hub.events;
  }

  /**
   * Listens for TCP.
   *
   * @throws {SocketError} When the address cannot be bound.
   */
  listenTcp(
    address: SocketAddress,
    options: ListenOptions = {},
  ): ListenerSocket {
    if (options.fastOpen) this.#ignoreFastOpen();
    if (options.ipv6Only && !this.splitsFamilies) warnOfBoth("TCP", address);
    const denoOptions = {
      hostname: address.host,
      port: address.port,
      tcpBacklog: options.backlog ?? DEFAULT_BACKLOG,
      ...(options.reusePort === true && Deno.build.os === "linux"
        ? { reusePort: true }
        : {}),
    };
    try {
      return new DenoListener(this.#hub, Deno.listen(denoOptions));
    } catch (error) {
      throw socketError("listen on TCP address", address, error);
    }
  }

  /** Starts to connect; the result arrives as an event. */
  connectTcp(
    address: SocketAddress,
    options: ConnectOptions = {},
  ): StreamSocket {
    const stream = new DenoStream(this.#hub);
    if (options.fastOpenData !== undefined) this.#ignoreFastOpen();
    stream.connect(address);
    return stream;
  }

  /**
   * Binds a UDP socket.
   *
   * @throws {SocketError} When the address cannot be bound.
   */
  bindUdp(address: SocketAddress, options: BindOptions = {}): DatagramSocket {
    if (options.ipv6Only && !this.splitsFamilies) warnOfBoth("UDP", address);
    if (options.tellsRecipient) warnOfSource(address);
    if (typeof Deno.listenDatagram !== "function") {
      throw socketError("bind UDP address", address, "ENOTSUP");
    }
    try {
      const conn = Deno.listenDatagram({
        transport: "udp",
        hostname: address.host,
        port: address.port,
      });
      return new DenoDatagram(this.#hub, conn, udpForm(conn.addr));
    } catch (error) {
      throw socketError("bind UDP address", address, error);
    }
  }

  /**
   * Binds a unix datagram socket.
   *
   * @throws {SocketError} When the path cannot be bound.
   */
  bindUnixDatagram(path: string): DatagramSocket<UnixAddress> {
    if (Deno.build.os === "windows") {
      throw new SocketError(
        "ENOTSUP",
        `Cannot bind unix socket to ${path}: this system has no unix ` +
          "datagram sockets; use host:port",
      );
    }
    if (typeof Deno.listenDatagram !== "function") {
      throw socketError("bind unix socket to", path, "ENOTSUP");
    }
    try {
      return new DenoDatagram(this.#hub, new DenoUnixConn(path), UNIX_FORM);
    } catch (error) {
      if (error instanceof SocketError) throw error;
      throw socketError("bind unix socket to", path, error);
    }
  }

  /**
   * Watches a socket.
   *
   * @throws {TypeError} If it is closed or of another poller.
   */
  register(socket: Socket, mode: number): void {
    const own = this.#own(socket);
    own.mode = mode;
    this.#hub.changed(own);
  }

  /**
   * Replaces the mask of a watched socket.
   *
   * @throws {TypeError} If it is closed or of another poller.
   */
  modify(socket: Socket, mode: number): void {
    const own = this.#own(socket);
    if (own.mode === UNREGISTERED) return;
    own.mode = mode;
    this.#hub.changed(own);
  }

  /** Watches a socket no longer. */
  unregister(socket: Socket): void {
    if (socket instanceof DenoSocket) socket.mode = UNREGISTERED;
  }

  /** Collects what is ready now; never blocks. */
  poll(_timeout: number): number {
    return this.#hub.poll();
  }

  /** Collects, waiting for the first event, the timeout or `wake`. */
  wait(timeout: number): Promise<number> {
    return this.#hub.wait(timeout);
  }

  /** Gives Deno's own loop one turn. */
  turn(): Promise<void> {
    return this.#hub.turn();
  }

  /** Lets go of the buffers that nobody uses. */
  trim(): void {
    this.#hub.buffers.trim();
  }

  /** Ends a wait under way. */
  wake(): void {
    this.#hub.wake();
  }

  /** Closes every socket; bytes under way may be lost. */
  [Symbol.dispose](): void {
    this.#hub[Symbol.dispose]();
  }

  #ignoreFastOpen(): void {
    if (this.#fastOpenLogged) return;
    this.#fastOpenLogged = true;
    logger.error("warning: fast open is not available");
  }

  #own(socket: Socket): DenoSocket {
    if (!(socket instanceof DenoSocket) || !this.#hub.owns(socket)) {
      throw new TypeError(
        `Cannot watch socket ${socket.fd}: it is closed or of another poller`,
      );
    }
    return socket;
  }
}

/** Says what the next failure to bind comes from, and what to do about it. */
function warnOfBoth(network: "TCP" | "UDP", address: SocketAddress): void {
  logger.warn(
    "{network} {address} takes IPv4 too with the event loop deno: list no " +
      "IPv4 address beside it, or use the event loop epoll",
    { network, address: `${address}` },
  );
}

/** Says that answers may come from an address that was not asked. */
function warnOfSource(address: SocketAddress): void {
  if (!isUnspecifiedIp(address.bytes)) return;
  const isLocal = /^(127\.|::1$|fe[89ab])/;
  let others: Deno.NetworkInterfaceInfo[];
  try {
    others = Deno.networkInterfaces().filter((each) =>
      !isLocal.test(each.address) &&
      (address.family === 6 || each.family === "IPv4")
    );
  } catch {
    // Without --allow-sys nobody can tell.
    return;
  }
  if (others.length < 2) return;
  logger.warn(
    "UDP answers of {address} may leave from another address than was asked " +
      "with the event loop deno: list the addresses to listen on, or use " +
      "the event loop epoll",
    { address: `${address}` },
  );
}
