/**
 * What to do about a socket that cannot be made.
 *
 * @module
 */

import type { SocketError } from "../loop/mod.ts";

/** The words of a poller: what was tried, on what, and the errno name alone. */
const REFUSAL = /^Cannot (.+) (\S+): ([A-Z0-9]+)$/;

/** What a system answers that lets any user have ports from 1024 on. */
const FIRST_FREE_PORT = 1024;

/**
 * Adds to the message of an error what a person can do about it.
 *
 * @param error The error.
 * @returns The message, and after it the advice if there is any.
 */
export async function withAdvice(
  { message, code }: SocketError,
): Promise<string> {
  // Else it has its advice already.
  if (!message.endsWith(code) && !message.endsWith(`(${code})`)) return message;
  const port = /:(\d+): /.exec(message)?.[1];
  const fact = await factAbout(code, {
    isUdp: /\bUDP\b/.test(message),
    port: port === undefined ? undefined : Number(port),
  });
  const text = advise(message, code);
  return fact === undefined ? text : `${text}; ${fact}`;
}

/** What this machine tells about a refusal. */
async function factAbout(
  code: string,
  { isUdp, port }: {
    readonly isUdp: boolean;
    readonly port: number | undefined;
  },
): Promise<string | undefined> {
  switch (code) {
    case "EADDRINUSE": {
      if (port === undefined) return undefined;
      const { portOwner } = await import("./_port_owner.ts");
      const owner = await portOwner(port, isUdp ? "udp" : "tcp");
      return owner === undefined
        ? undefined
        : `it is ${owner.name}, pid ${owner.pid}`;
    }
    case "EADDRNOTAVAIL": {
      const own = Deno.networkInterfaces().map(({ address }) => address);
      return own.length === 0 ? undefined : `it has ${own.join(", ")}`;
    }
    default:
      return undefined;
  }
}

function advise(message: string, code: string): string {
  const [, action, place, last] = REFUSAL.exec(message) ?? [];
  if (action === undefined || place === undefined || last !== code) {
    return message;
  }
  const advice = /\bunix\b/.test(action)
    ? PATH_ADVICE[code]
    : portAdvice(code, { isUdp: /\bUDP\b/.test(action), place });
  return advice === undefined ? message : `${message}: ${advice}`;
}

const PATH_ADVICE: Readonly<Record<string, string>> = {
  EACCES: "this user may not make a file there: choose another path",
  EADDRINUSE: "there is such a file: remove it or choose another path",
  ENOENT: "its folder does not exist: make it or choose another path",
};

function portAdvice(
  code: string,
  { isUdp, place }: { readonly isUdp: boolean; readonly place: string },
): string | undefined {
  const port = /:(\d+)$/.exec(place)?.[1];
  switch (code) {
    case "EADDRINUSE":
      return `another program uses ${isUdp ? "UDP" : "TCP"} port ${port}: ` +
        "stop it or choose another";
    case "EACCES":
      return Number(port) < FIRST_FREE_PORT
        ? `ports below ${FIRST_FREE_PORT} need root or CAP_NET_BIND_SERVICE`
        : undefined;
    case "EADDRNOTAVAIL":
      return "this machine does not have that address: choose one of its own";
    case "EMFILE":
      return "too many open files: raise the limit (ulimit -n)";
    default:
      return undefined;
  }
}
