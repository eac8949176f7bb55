/**
 * The head of a request to a proxy (RFC 9112, sections 2 and 3): CONNECT with
 * `host:port`, or any other method with `http://host[:port]/path`.
 *
 * What could be read in two ways is refused, since the server behind might
 * read it the other way: lines that end in LF alone, folded lines, blanks
 * before a colon, a length that is said twice, a length beside a coding.
 *
 * @module
 */

import { framingOf, isChunkedLast, parseLength } from "./_framing.ts";
import { type Authority, parseAuthority } from "./authority.ts";
import { BODY_CHUNKED } from "./body.ts";
import type { ByteWriter } from "./byte_writer.ts";
import {
  type ConnectionOptions,
  connectionOptions,
  type Field,
  fieldText,
  isHopByHop,
  lineEnd,
  nextLine,
  parseFields,
  TOO_MANY_FIELDS,
} from "./fields.ts";
import { HTAB, isControl, isTokenByte, textOf } from "./text.ts";

/** Port of `http://` (RFC 9110, 4.2.1). */
const HTTP_PORT = 80;

const STRICT = { isLenient: false };
const VERSION_REGEXP = /^HTTP\/\d\.\d$/;
const SCHEME_REGEXP = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//;
const HTTP_SCHEME = "http://";

/** A request that is not served. */
export interface RequestFault {
  /** Tells the results apart. */
  readonly kind: "fault";
  /** The status to answer with: 400, 431, 501 or 505. */
  readonly status: number;
  /** What is wrong, for client and log; holds no bytes of the client. */
  readonly message: string;
}

/** A request that is served. Its places are those of the head's bytes. */
export interface RequestHead {
  /** Tells the results apart. */
  readonly kind: "request";
  /** The bytes of the head. */
  readonly bytes: Uint8Array;
  /** `CONNECT`, `GET`, …; case matters. */
  readonly method: string;
  /** The minor version: 0 or 1. */
  readonly minor: number;
  /** A name or an IP literal, in lower case, without brackets. */
  readonly host: string;
  /** Whether the host must be an IPv6 address. */
  readonly isBracketed: boolean;
  /** The port. */
  readonly port: number;
  /** Host and port as they were written: the value of `Host`. */
  readonly authority: string;
  /** What the target lacks in origin form: `""`, `/` or `*`. */
  readonly pathPrefix: string;
  /** Where the path begins. */
  readonly pathStart: number;
  /** Behind path and query. */
  readonly pathEnd: number;
  /** The fields, in order. */
  readonly fields: readonly Field[];
  /** What `Connection` says. */
  readonly connection: ConnectionOptions;
  /** The length of the body, or `BODY_CHUNKED`. */
  readonly bodyLength: number;
  /** Whether the client will send another request after this one. */
  readonly persists: boolean;
  /** Whether the connection may change its protocol. */
  readonly upgrade: boolean;
  /** Whether the client may wait for 100 before it sends the body. */
  readonly expectsContinue: boolean;
  /** The value of `Proxy-Authorization`, one character a byte. */
  readonly authorization: string | undefined;
}

/** The codings of a transfer (RFC 9112, section 7.2, with their old names). */
const CODINGS: ReadonlySet<string> = new Set([
  "chunked",
  "compress",
  "deflate",
  "gzip",
  "x-compress",
  "x-gzip",
]);

/** What the request line says. */
interface RequestLine {
  readonly kind: "line";
  readonly method: string;
  readonly minor: number;
  readonly target: RequestTarget;
}

interface RequestTarget {
  readonly kind: "target";
  readonly where: Authority;
  readonly authority: string;
  readonly port: number;
  readonly pathPrefix: string;
  readonly pathStart: number;
  readonly pathEnd: number;
}

/**
 * Reads the head of a request.
 *
 * @param bytes Holds the head.
 * @param start Where it begins.
 * @param end Behind its empty line.
 * @returns The request, or what is wrong with it.
 */
export function parseRequestHead(
  bytes: Uint8Array,
  start: number,
  end: number,
): RequestHead | RequestFault {
  const stop = lineEnd(bytes, start, STRICT);
  if (stop < 0 || stop >= end) return fault("a line ends in LF alone");
  const line = parseRequestLine(bytes, start, stop);
  if (line.kind === "fault") return line;
  const fields = parseFields(bytes, nextLine(bytes, stop), STRICT);
  if (fields === TOO_MANY_FIELDS) {
    return { kind: "fault", status: 431, message: TOO_MANY_FIELDS };
  }
  if (typeof fields === "string") return fault(fields);
  const hosts = fields.filter((field) => field.name === "host").length;
  const isConnect = line.method === "CONNECT";
  if (hosts > 1) return fault("there are two Host fields");
  // RFC 9112, 3.2. Many clients leave it out of CONNECT, where it says nothing.
  if (hosts === 0 && line.minor === 1 && !isConnect) {
    return fault("there is no Host field");
  }
  const bodyLength = bodyLengthOf(bytes, fields, line);
  if (typeof bodyLength === "string") return fault(bodyLength);
  const connection = connectionOptions(bytes, fields);
  const { target, minor } = line;
  return {
    kind: "request",
    bytes,
    method: line.method,
    minor,
    host: target.where.host,
    isBracketed: target.where.isBracketed,
    port: target.port,
    authority: target.authority,
    pathPrefix: target.pathPrefix,
    pathStart: target.pathStart,
    pathEnd: target.pathEnd,
    fields,
    connection,
    bodyLength,
    // A proxy keeps no connection to a client of HTTP/1.0 (RFC 9112, C.2.2).
    persists: minor === 1 && !connection.close,
    upgrade: minor === 1 && connection.upgrade && has(fields, "upgrade"),
    expectsContinue: minor === 1 && has(fields, "expect"),
    authorization: authorizationOf(bytes, fields),
  };
}

/**
 * Writes the head of a request as the origin gets it: the target in origin
 * form, `Host` from the target, nothing that concerned this connection.
 *
 * @param head A request that is not CONNECT.
 * @param writer Takes the head; at most 40 bytes more than the head had.
 */
export function writeRequestHead(head: RequestHead, writer: ByteWriter): void {
  const { bytes } = head;
  writer.text(head.method);
  writer.text(" ");
  writer.text(head.pathPrefix);
  writer.copy(bytes, head.pathStart, head.pathEnd);
  writer.text(" HTTP/1.1\r\nHost: ");
  writer.text(head.authority);
  writer.text("\r\n");
  for (const field of head.fields) {
    if (field.name === "host") continue;
    const isUpgrade = head.upgrade && field.name === "upgrade";
    if (!isUpgrade && isHopByHop(field.name, head.connection)) continue;
    writer.copy(bytes, field.start, field.valueEnd);
    writer.text("\r\n");
  }
  if (head.upgrade) writer.text("Connection: Upgrade\r\n");
  if (!head.persists) writer.text("Connection: close\r\n");
  writer.text("\r\n");
}

function parseRequestLine(
  bytes: Uint8Array,
  start: number,
  end: number,
): RequestLine | RequestFault {
  for (let i = start; i < end; i++) {
    // A tab too: some origins take it for the blank behind the target
    // (RFC 9112, section 3), and would read another request than we do.
    if (isControl(bytes[i]!) || bytes[i] === HTAB) {
      return fault("the request line holds a control character");
    }
  }
  const line = textOf(bytes, start, end);
  const parts = line.split(" ", 4);
  const [method = "", target = "", version = ""] = parts;
  if (parts.length !== 3 || method === "" || target === "") {
    return fault("the request line is not METHOD TARGET VERSION");
  }
  for (let i = start; i < start + method.length; i++) {
    if (!isTokenByte(bytes[i])) return fault("the method is not a token");
  }
  if (!VERSION_REGEXP.test(version)) return fault("the version is not HTTP");
  if (version !== "HTTP/1.1" && version !== "HTTP/1.0") {
    return {
      kind: "fault",
      status: 505,
      message: "only HTTP/1 is spoken here",
    };
  }
  const parsed = parseTarget(method, target, start + method.length + 1);
  if (parsed.kind === "fault") return parsed;
  const minor = version === "HTTP/1.1" ? 1 : 0;
  return { kind: "line", method, minor, target: parsed };
}

/** @param offset Where the target begins in the bytes of the head. */
function parseTarget(
  method: string,
  target: string,
  offset: number,
): RequestTarget | RequestFault {
  if (method === "CONNECT") {
    const where = parseAuthority(target);
    if (where?.port === undefined) {
      return fault("the target of CONNECT is not host:port");
    }
    const { port } = where;
    const end = offset + target.length;
    return {
      kind: "target",
      where,
      authority: target,
      port,
      pathPrefix: "",
      pathStart: end,
      pathEnd: end,
    };
  }
  if (target.startsWith("/") || target === "*") {
    return fault(
      "this is an HTTP proxy, not a web server; set it as the proxy of the application",
    );
  }
  const scheme = SCHEME_REGEXP.exec(target)?.[0].toLowerCase();
  if (scheme === undefined) return fault("the target is not http://host/path");
  if (scheme !== HTTP_SCHEME) {
    return {
      kind: "fault",
      status: 501,
      message: "only http:// is fetched; use CONNECT for all else",
    };
  }
  return parseUri(method, target, offset);
}

function parseUri(
  method: string,
  uri: string,
  offset: number,
): RequestTarget | RequestFault {
  if (uri.includes("#")) return fault("the target has a fragment");
  const start = HTTP_SCHEME.length;
  const rest = uri.slice(start).search(/[/?]/);
  const end = rest < 0 ? uri.length : start + rest;
  const authority = uri.slice(start, end);
  const where = parseAuthority(authority);
  if (where === undefined) return fault("the target has no valid host");
  let pathPrefix = uri[end] === "/" ? "" : "/";
  // RFC 9112, 3.2.4.
  if (method === "OPTIONS" && end === uri.length) pathPrefix = "*";
  return {
    kind: "target",
    where,
    authority: authority.replace(/:$/, ""),
    port: where.port ?? HTTP_PORT,
    pathPrefix,
    pathStart: offset + end,
    pathEnd: offset + uri.length,
  };
}

/** @returns The length, or what is wrong with it. */
function bodyLengthOf(
  bytes: Uint8Array,
  fields: readonly Field[],
  line: RequestLine,
): number | string {
  const { lengths, codings } = framingOf(bytes, fields);
  if (lengths.length > 1) return "there are two lengths";
  if (codings.length > 0) {
    if (lengths.length > 0) return "there are a length and a coding";
    if (line.minor === 0) return "HTTP/1.0 has no codings";
    if (!isChunkedLast(codings)) return "the last coding is not chunked";
    // What not every reader knows may be understood in two ways.
    if (!codings.every((coding) => CODINGS.has(coding))) {
      return "there is an unknown coding";
    }
    if (line.method === "CONNECT") return "CONNECT has no body";
    return BODY_CHUNKED;
  }
  const [length] = lengths;
  if (length === undefined) return 0;
  const count = parseLength(length);
  if (count < 0) return "the length is not a number";
  return line.method === "CONNECT" && count > 0 ? "CONNECT has no body" : count;
}

function authorizationOf(
  bytes: Uint8Array,
  fields: readonly Field[],
): string | undefined {
  const field = fields.find((field) => field.name === "proxy-authorization");
  return field === undefined ? undefined : fieldText(bytes, field);
}

function has(fields: readonly Field[], name: string): boolean {
  return fields.some((field) => field.name === name);
}

function fault(message: string): RequestFault {
  return { kind: "fault", status: 400, message };
}
