/**
 * The answers that a proxy gives itself (RFC 9110, section 15).
 *
 * @module
 */

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  407: "Proxy Authentication Required",
  431: "Request Header Fields Too Large",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
};

/** An answer of the proxy. */
export interface ProxyReply {
  /** 400 and more; one of those that have a reason above, or any other. */
  readonly status: number;
  /** One line for a human, put into the body. */
  readonly text: string;
  /** Whether the answer is to HEAD, and goes without its body. */
  readonly isHead?: boolean | undefined;
  /** Whether the connection takes another request. Default false. */
  readonly persists?: boolean | undefined;
  /** A further field, such as `Proxy-Authenticate: …`; ASCII. */
  readonly field?: string | undefined;
}

/** The answer to a CONNECT whose target was reached. */
export const CONNECTED_REPLY = "HTTP/1.1 200 Connection established\r\n\r\n";

/**
 * Writes an answer with a body of plain text.
 *
 * @param reply What to say.
 * @returns New bytes.
 */
export function proxyReply(reply: ProxyReply): Uint8Array {
  const encoder = new TextEncoder();
  const body = encoder.encode(`${reply.text}\n`);
  const head = encoder.encode(
    `HTTP/1.1 ${reply.status} ${REASONS[reply.status] ?? ""}\r\n` +
      "Content-Type: text/plain; charset=utf-8\r\n" +
      `Content-Length: ${body.length}\r\n` +
      (reply.field === undefined ? "" : `${reply.field}\r\n`) +
      (reply.persists === true ? "" : "Connection: close\r\n") +
      "\r\n",
  );
  if (reply.isHead === true) return head;
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}
