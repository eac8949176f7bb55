/**
 * What a manager is asked to do: one datagram, one request.
 *
 * ```text
 * python   NAME or NAME:JSON, the name exactly as it is
 * libev    blanks, NAME up to a blank or a colon, JSON from the first brace
 * NAME     add, remove (with JSON); ping, list
 * ```
 *
 * The texts hold passwords: nothing here repeats more of them than the name.
 *
 * @module
 */

/** How a manager answers. */
export type ManagerDialect = "python" | "libev";

/** One request. */
export type ManagerRequest =
  | { readonly kind: "add"; readonly json: string }
  | { readonly kind: "remove"; readonly port: number }
  | { readonly kind: "ping" }
  | { readonly kind: "list" }
  | {
    readonly kind: "invalid";
    /** For the log. */
    readonly reason: string;
    /** Whether the name was a known one, and what came with it was not. */
    readonly isKnown: boolean;
  };

/** Longest request that is taken, in bytes; libev's limit, the original has 1506. */
export const MAX_REQUEST = 32_767;

const MAX_SHOWN = 16;
const MAX_PORT = 65_535;
const EXAMPLE = '{"server_port":8001}';

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads a request.
 *
 * @param data The datagram.
 * @param dialect How requests are written.
 * @returns The request; never throws.
 */
export function parseRequest(
  data: Uint8Array,
  dialect: ManagerDialect,
): ManagerRequest {
  if (data.length > MAX_REQUEST) {
    return invalid(`the request has more than ${MAX_REQUEST} bytes`);
  }
  let text: string;
  try {
    text = decoder.decode(data);
  } catch {
    return invalid("the request is not UTF-8");
  }
  const { name, json } = dialect === "libev"
    ? splitLikeLibev(text)
    : splitLikePython(text);
  switch (name) {
    case "add":
      return json === undefined
        ? invalid(`"add" needs a JSON text such as ${EXAMPLE}`, true)
        : { kind: "add", json };
    case "remove":
      return parseRemove(json);
    case "ping":
    case "list":
      // The original reads what follows, and forgets it.
      return dialect === "python" && json !== undefined &&
          parseJson(json) === undefined
        ? invalid(`"${name}" is followed by what is no JSON text`)
        : { kind: name };
    default:
      return invalid(`unknown command ${shown(name)}`);
  }
}

interface Parts {
  readonly name: string;
  readonly json: string | undefined;
}

function splitLikePython(text: string): Parts {
  const colon = text.indexOf(":");
  return colon < 0
    ? { name: text, json: undefined }
    : { name: text.slice(0, colon), json: text.slice(colon + 1) };
}

function splitLikeLibev(text: string): Parts {
  const name = /^[ \t-\r]*([^ \t-\r:]*)/.exec(text)![1]!;
  const brace = text.indexOf("{");
  return { name, json: brace < 0 ? undefined : text.slice(brace) };
}

function parseRemove(json: string | undefined): ManagerRequest {
  const port = json === undefined ? undefined : portOf(parseJson(json));
  return port === undefined
    ? invalid(`"remove" needs a JSON text such as ${EXAMPLE}`, true)
    : { kind: "remove", port };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The port that an object names as a number or as digits. */
function portOf(value: unknown): number | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (!Object.hasOwn(value, "server_port")) return undefined;
  const { server_port: given } = value as { readonly server_port: unknown };
  const port = typeof given === "string" && /^\d{1,5}$/.test(given)
    ? Number(given)
    : given;
  return Number.isInteger(port) && 0 < Number(port) && Number(port) <= MAX_PORT
    ? Number(port)
    : undefined;
}

function invalid(reason: string, isKnown = false): ManagerRequest {
  return { kind: "invalid", reason, isKnown };
}

/** As much of a name as can hold no secret. */
function shown(name: string): string {
  const start = /^[\w-]*[\r\n]*/.exec(name)![0].slice(0, MAX_SHOWN);
  return JSON.stringify(start) +
    (start.length < name.length ? " and more" : "");
}
