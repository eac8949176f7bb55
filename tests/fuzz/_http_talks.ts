/**
 * Requests and answers of HTTP, made of parts.
 *
 * @module
 */

import type { Choices } from "./_choices.ts";

/** What may stand anywhere in a head, or must not. */
export const HTTP_WORDS: readonly string[] = [
  "\r\n",
  "\n",
  "\r",
  " ",
  "\t",
  ":",
  "\0",
  "\x80",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: gzip, chunked\r\n",
  "Content-Length: 5\r\n",
  "Content-Length: 99999999999999999999\r\n",
  "Content-Length: -1\r\n",
  "Connection: close\r\n",
  "Connection: keep-alive, x, upgrade\r\n",
  "Upgrade: websocket\r\n",
  "Expect: 100-continue\r\n",
  "Host: other.example\r\n",
  "Proxy-Authorization: Basic dTpw\r\n",
  " folded\r\n",
  "HTTP/1.0",
  "HTTP/2.0",
  "CONNECT ",
  "http://",
  "https://",
  "[::1]:80",
  "@",
  "ffffffffffffffff\r\n",
  "0\r\n\r\n",
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 101 Switching Protocols\r\n\r\n",
  "a".repeat(300),
];

/** One request, with what the origin is to get of its body. */
export interface Talk {
  /** As the client sends it. */
  readonly request: string;
  /** The path. */
  readonly path: string;
  /** The body as it is on the wire. */
  readonly body: string;
  /** The answer of the origin. */
  readonly answer: string;
}

/**
 * Makes a request to an origin and its answer.
 *
 * @param choices What they are made of.
 * @param host The origin.
 * @returns Both.
 */
export function makeTalk(choices: Choices, host: string): Talk {
  const method = choices.pick(["GET", "POST", "PUT", "OPTIONS"]);
  const path = `/${choices.below(1000)}${
    choices.pick(["", "?q=a%20b", "/x;y"])
  }`;
  const { fields, body } = makeBody(choices, method === "GET");
  const others = choices.pick(["", "Accept: */*\r\n", "X: a, b\r\nX: c\r\n"]);
  const status = choices.pick(["200 OK", "404 Not Found", "500 Oh"]);
  const content = makeBody(choices, false);
  return {
    request: `${method} http://${host}${path} HTTP/1.1\r\nHost: ${host}\r\n` +
      `${others}${fields}\r\n${body}`,
    path,
    body,
    answer: `HTTP/1.1 ${status}\r\n${
      content.fields === "" ? "Content-Length: 0\r\n" : content.fields
    }\r\n${content.body}`,
  };
}

function makeBody(
  choices: Choices,
  isEmpty: boolean,
): { readonly fields: string; readonly body: string } {
  const way = isEmpty ? 0 : choices.below(3);
  if (way === 0) return { fields: "", body: "" };
  const content = "b".repeat(choices.length(20_000));
  if (way === 1) {
    return { fields: `Content-Length: ${content.length}\r\n`, body: content };
  }
  const size = content.length.toString(16);
  const chunk = content === "" ? "" : `${size}\r\n${content}\r\n`;
  const extra = choices.pick(["", ";x=y", ';x="\\""']);
  return {
    fields: "Transfer-Encoding: chunked\r\n",
    body: `${chunk}0${extra}\r\n\r\n`,
  };
}
