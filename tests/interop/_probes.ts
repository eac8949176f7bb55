/**
 * What is asked of the local of either maker: each probe ends with a short
 * text that says what a user would see.
 *
 * @module
 */

import {
  curl,
  type ProxyLogin,
  readToEnd,
  socks5Connect,
  Socks5Refused,
  socks5UdpAssociate,
  staysPending,
  type Target,
  withTimeout,
  writeAll,
} from "../support/mod.ts";

/** Milliseconds after which no answer comes any more. */
const SILENCE = 700;

/** How many probes run at once. */
const AT_ONCE = 4;
/**
 * What curl ends with when the connection does, after an end and after a reset.
 * A client of ours sees the reset that its server or target has sent, one of
 * rust's sees an end.
 */
const CUT_OFF: ReadonlySet<number> = new Set([52, 56]);

/** One question, by what it asks. */
export type Probe = readonly [name: string, run: () => Promise<string>];

/** What came of each probe. */
export type Outcomes = Readonly<Record<string, string>>;

/** The scheme of a proxy as curl knows it. */
export type Scheme = "http" | "socks4" | "socks4a" | "socks5" | "socks5h";

/**
 * Runs probes, a few at once: many of them wait for what does not come.
 *
 * @param probes The probes.
 * @returns What came of them.
 */
export async function runProbes(probes: readonly Probe[]): Promise<Outcomes> {
  const outcomes: Record<string, string> = {};
  const rest = probes.values();
  const work = async (): Promise<void> => {
    for (const [name, run] of rest) outcomes[name] = await run();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcomes;
}

/**
 * A page fetched with curl.
 *
 * @param proxy `scheme://user:password@` of the proxy on 127.0.0.1, the port.
 * @param target The page's host.
 * @param args More arguments of curl.
 * @returns The page; or curl's exit code, and the answers to CONNECT and the
 * request.
 */
export async function fetchPage(
  proxy: readonly [scheme: Scheme, port: number, login?: string | undefined],
  target: Target,
  ...args: readonly string[]
): Promise<string> {
  const [scheme, port, login] = proxy;
  const { code, status, connectStatus, body } = await curl(
    ...["--proxy", `${scheme}://127.0.0.1:${port}`],
    ...login === undefined ? [] : ["--proxy-user", login],
    ...args,
    `http://${target.hostname}:${target.port}/`,
  );
  if (code === 0 && status === 200) return body;
  const end = CUT_OFF.has(code) ? "cut off" : `curl ${code}`;
  return `${end}, CONNECT ${connectStatus}, status ${status}`;
}

/**
 * A SOCKS5 CONNECT, and what comes after a request.
 *
 * @param port The port of the proxy.
 * @param target Where to.
 * @param login The user.
 * @returns The reply; whether it holds, if that is success.
 */
export async function connect(
  port: number,
  target: Target,
  login?: ProxyLogin,
): Promise<string> {
  try {
    using conn = await socks5Connect(port, target, login);
    await writeAll(conn, new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"));
    const answer = await withTimeout(readToEnd(conn), "an answer");
    return answer.length > 0 ? "reply 0, an answer" : "reply 0, the end";
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionReset) return "reply 0, the end";
    return refusal(error);
  }
}

/**
 * A datagram by SOCKS5.
 *
 * @param port The port of the proxy.
 * @param target Where to.
 * @param login The user.
 * @returns The answer of the target, `silence` or the reply.
 */
export async function askDatagram(
  port: number,
  target: Target,
  login?: ProxyLogin,
): Promise<string> {
  try {
    using association = await socks5UdpAssociate(port, login);
    await association.send(target, Uint8Array.of(1));
    const answer = association.receive();
    answer.catch(() => {});
    if (await staysPending(answer, SILENCE)) return "silence";
    return new TextDecoder().decode((await answer).payload);
  } catch (error) {
    return refusal(error);
  }
}

/**
 * A datagram by a tunnel.
 *
 * @param port The near end.
 * @returns The answer of the target, or `silence`.
 */
export async function askTunnel(port: number): Promise<string> {
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });
  try {
    await socket.send(Uint8Array.of(1), {
      transport: "udp",
      hostname: "127.0.0.1",
      port,
    });
    const answer = socket.receive();
    answer.catch(() => {});
    if (await staysPending(answer, SILENCE)) return "silence";
    return new TextDecoder().decode((await answer)[0]);
  } finally {
    socket.close();
  }
}

/**
 * Sends bytes to a port.
 *
 * @param port The port.
 * @param bytes What is sent.
 * @param count How many bytes of the answer count.
 * @returns They in decimal; text as it is.
 */
export async function sendRaw(
  port: number,
  bytes: Uint8Array,
  count: number,
): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await writeAll(conn, bytes);
  const buffer = new Uint8Array(count);
  let length = 0;
  while (length < count) {
    const more = conn.read(buffer.subarray(length)).catch(() => null);
    if (await staysPending(more, SILENCE)) break;
    const read = await more;
    if (read === null) break;
    length += read;
  }
  const answer = buffer.subarray(0, length);
  const isText = answer[0] === 72;
  return isText ? new TextDecoder().decode(answer) : `${answer}`;
}

function refusal(error: unknown): string {
  if (error instanceof Socks5Refused) return `reply ${error.reply}`;
  return error instanceof Error ? error.message : `${error}`;
}
