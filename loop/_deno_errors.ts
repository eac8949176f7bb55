/**
 * Errno names out of what Deno throws, so that both pollers speak of failures
 * in the same words.
 *
 * @module
 */

import type { SocketAddress } from "./address.ts";
import { SocketError } from "./socket.ts";

/** Errno names for those classes of Deno whose errors may lack a `code`. */
const CODE_OF_CLASS: Readonly<Record<string, string>> = {
  AddrInUse: "EADDRINUSE",
  AddrNotAvailable: "EADDRNOTAVAIL",
  BadResource: "EBADF",
  BrokenPipe: "EPIPE",
  ConnectionAborted: "ECONNABORTED",
  ConnectionRefused: "ECONNREFUSED",
  ConnectionReset: "ECONNRESET",
  Interrupted: "EINTR",
  NetworkUnreachable: "ENETUNREACH",
  NotCapable: "EACCES",
  NotConnected: "ENOTCONN",
  NotSupported: "ENOTSUP",
  PermissionDenied: "EACCES",
  TimedOut: "ETIMEDOUT",
};

/** What an administrator can do about a socket that cannot be made. */
const FIX_OF_CODE: Readonly<Record<string, string>> = {
  EACCES:
    "permission denied; choose a port above 1023, or allow it (--allow-net, CAP_NET_BIND_SERVICE)",
  EADDRINUSE: "address in use; stop the other program or choose another port",
  EADDRNOTAVAIL: "no interface has this address; choose one of this system",
  EAFNOSUPPORT: "address family not available on this system",
  EMFILE: "too many open files; raise the limit (ulimit -n)",
  ENFILE: "too many open files in the system; raise fs.file-max",
  ENOTSUP: "Deno.listenDatagram is missing; run Deno with --unstable-net",
};

/**
 * Finds the errno name of an error.
 *
 * @param error What Deno threw.
 * @returns Such as `ECONNREFUSED`; `EIO` when nothing fits.
 */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return "EIO";
  if ("code" in error && typeof error.code === "string") return error.code;
  return CODE_OF_CLASS[error.name] ?? "EIO";
}

/**
 * Makes the error for a socket that cannot be made.
 *
 * @param action What was tried, such as `listen on TCP`.
 * @param address On which address.
 * @param cause What Deno threw, or an errno name.
 * @returns To be thrown.
 */
export function socketError(
  action: string,
  address: SocketAddress | string,
  cause: unknown,
): SocketError {
  const code = typeof cause === "string" ? cause : errorCode(cause);
  const detail = FIX_OF_CODE[code] ??
    (cause instanceof Error ? cause.message : code);
  return new SocketError(
    code,
    `Cannot ${action} ${address}: ${detail} (${code})`,
    cause instanceof Error ? { cause } : {},
  );
}
