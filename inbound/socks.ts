/**
 * The SOCKS proxy: SOCKS5 with CONNECT and UDP ASSOCIATE (RFC 1928), with name
 * and password where there are users (RFC 1929), and SOCKS4 and 4a CONNECT.
 *
 * The answer to CONNECT is given once the target is reached, so that one that
 * cannot be reached shows as a SOCKS error and not as a dead connection. With
 * fast open the relay must ask for the answer before.
 *
 * @module
 */

import { isUnspecifiedIp, SocketAddress } from "../loop/mod.ts";
import {
  type Failure,
  type Inbound,
  type InboundAnswer,
  type InboundStream,
  type Refusal,
  type Session,
  type Status,
  Target,
} from "../relay/mod.ts";
import {
  CMD_UDP_ASSOCIATE,
  METHOD_USER_PASSWORD,
  parseCredentials,
  parseGreeting,
  parseRequest,
  parseSocks4Request,
  reply,
  REPLY_COMMAND_NOT_SUPPORTED,
  REPLY_NOT_ALLOWED,
  REPLY_SUCCEEDED,
  SOCKS4_IP_OFFSET,
  SOCKS4_VERSION,
} from "../socks5/mod.ts";
import { logRefused, logUnauthenticated } from "./_refusals.ts";
import {
  CONNECTED,
  failureReply,
  GREETED,
  NO_METHOD,
  PASSWORD_RIGHT,
  PASSWORD_WANTED,
  PASSWORD_WRONG,
  SOCKS4_CONNECTED,
  SOCKS4_REFUSED,
} from "./_socks_replies.ts";
import { headerTarget } from "./header_target.ts";
import type { ProxyMode } from "./proxy_mode.ts";
import { type ProxyUser, ProxyUsers } from "./proxy_users.ts";

/** Options of {@linkcode SocksInbound}. */
export interface SocksInboundOptions {
  /**
   * What is served: CONNECT, UDP ASSOCIATE or both. `tcp_only` where the listener has no UDP side. Default
   * `tcp_and_udp`.
   */
  readonly mode?: ProxyMode | undefined;
  /**
   * Who may use it: one of these must give its name and password, so SOCKS4,
   * which has no password, is refused. Default, and if empty: everybody.
   */
  readonly users?: readonly ProxyUser[] | undefined;
}

/** Why CONNECT is refused where only datagrams are served. */
const CONNECT_OFF = "CONNECT is off: the mode is udp_only";
/** Why UDP ASSOCIATE is refused where only connections are served. */
const ASSOCIATE_OFF = "UDP ASSOCIATE is off: the mode is tcp_only";

const NEED_MORE: InboundAnswer = { kind: "more", consumed: 0 };

/** The SOCKS proxy of a listener. */
export class SocksInbound implements Inbound {
  readonly #rules: Rules;

  /**
   * Makes the protocol.
   *
   * @param options What is served, and to whom.
   */
  constructor(options: SocksInboundOptions = {}) {
    const { mode = "tcp_and_udp", users = [] } = options;
    this.#rules = {
      mode,
      users: users.length === 0 ? undefined : new ProxyUsers(users),
    };
  }

  /** Makes the client's side of a connection. */
  accept(session: Session): InboundStream {
    return new SocksStream(this.#rules, session);
  }
}

/** What all connections of a listener share. */
interface Rules {
  readonly mode: ProxyMode;
  readonly users: ProxyUsers | undefined;
}

/** What a connection waits for. */
type Stage = "greeting" | "password" | "request" | "socks4";

/** One connection of the SOCKS proxy. */
class SocksStream implements InboundStream {
  readonly codec = undefined;
  readonly #rules: Rules;
  readonly #session: Session;
  #stage: Stage = "greeting";

  constructor(rules: Rules, session: Session) {
    this.#rules = rules;
    this.#session = session;
  }

  /** Takes greeting, password and request, one an answer. */
  receive(data: Uint8Array): InboundAnswer {
    if (data.length === 0) return NEED_MORE;
    if (this.#stage === "greeting" && data[0] === SOCKS4_VERSION) {
      this.#stage = "socks4";
    }
    switch (this.#stage) {
      case "greeting":
        return this.#onGreeting(data);
      case "password":
        return this.#onPassword(data);
      case "request":
        return this.#onRequest(data);
      case "socks4":
        return this.#onSocks4(data);
      default:
        return this.#stage satisfies never;
    }
  }

  /** Says success. */
  connected(): Uint8Array {
    return this.#stage === "socks4" ? SOCKS4_CONNECTED : CONNECTED;
  }

  /** Says where datagrams go. */
  associated(address: SocketAddress): Uint8Array {
    return reply(REPLY_SUCCEEDED, address.bytes, address.port);
  }

  /** Says why not, with the code that fits. */
  failed(failure: Failure): Refusal {
    return {
      reply: this.#stage === "socks4" ? SOCKS4_REFUSED : failureReply(failure),
      ending: "close",
    };
  }

  /** Holds nothing. */
  [Symbol.dispose](): void {}

  #onGreeting(data: Uint8Array): InboundAnswer {
    const greeting = parseGreeting(data);
    switch (greeting.status) {
      case "need-more":
        return NEED_MORE;
      case "invalid":
        return this.#refuse("greeting", greeting.message);
      case "ok":
        break;
    }
    const { methods, length } = greeting;
    if (this.#rules.users !== undefined) {
      if (!methods.includes(METHOD_USER_PASSWORD)) {
        return this.#refuseUser("no password offered", NO_METHOD);
      }
      this.#stage = "password";
      return { kind: "more", consumed: length, reply: PASSWORD_WANTED };
    }
    if (!greeting.offersNoAuth) {
      const reason = "no method without authentication is offered";
      return this.#refuse("greeting", reason, NO_METHOD);
    }
    this.#stage = "request";
    return { kind: "more", consumed: length, reply: GREETED };
  }

  #onPassword(data: Uint8Array): InboundAnswer {
    const given = parseCredentials(data);
    switch (given.status) {
      case "need-more":
        return NEED_MORE;
      case "invalid":
        return this.#refuseUser(given.message, PASSWORD_WRONG);
      case "ok":
        break;
    }
    const user = this.#rules.users?.find(given.user, given.password);
    if (user === undefined) {
      return this.#refuseUser("wrong user or password", PASSWORD_WRONG);
    }
    this.#session.user = user;
    this.#stage = "request";
    return { kind: "more", consumed: given.length, reply: PASSWORD_RIGHT };
  }

  #onRequest(data: Uint8Array): InboundAnswer {
    const request = parseRequest(data);
    switch (request.status) {
      case "need-more":
        return NEED_MORE;
      case "invalid":
        return this.#refuse("request", request.message, reply(request.reply));
      case "ok":
        break;
    }
    const { command, address, length: consumed } = request;
    const { mode } = this.#rules;
    if (command === CMD_UDP_ASSOCIATE) {
      if (mode !== "tcp_only") {
        const source = headerTarget(data, address);
        const port = sourcePort(source, this.#session.client);
        return { kind: "associate", consumed, port };
      }
      const answer = reply(REPLY_COMMAND_NOT_SUPPORTED);
      return this.#refuse("request", ASSOCIATE_OFF, answer);
    }
    if (mode === "udp_only") {
      const answer = reply(REPLY_NOT_ALLOWED);
      return this.#refuse("request", CONNECT_OFF, answer);
    }
    return { kind: "request", consumed, target: headerTarget(data, address) };
  }

  #onSocks4(data: Uint8Array): InboundAnswer {
    const request = parseSocks4Request(data);
    switch (request.status) {
      case "need-more":
        return NEED_MORE;
      case "invalid":
        return this.#refuse("request", request.message, SOCKS4_REFUSED);
      case "ok":
        break;
    }
    if (this.#rules.users !== undefined) {
      return this.#refuseUser("SOCKS4 has no password", SOCKS4_REFUSED);
    }
    if (this.#rules.mode === "udp_only") {
      return this.#refuse("request", CONNECT_OFF, SOCKS4_REFUSED);
    }
    const { domain, port, length: consumed } = request;
    const target = domain === ""
      ? Target.ofAddress(SocketAddress.fromIpv4(data, SOCKS4_IP_OFFSET, port))
      : Target.of(domain, port);
    return { kind: "request", consumed, target };
  }

  #refuseUser(reason: string, answer: Uint8Array): InboundAnswer {
    logUnauthenticated(this.#session.client, reason);
    return refuse("auth_failed", answer);
  }

  #refuse(what: string, reason: string, answer?: Uint8Array): InboundAnswer {
    const protocol = this.#stage === "socks4" ? "SOCKS4" : "SOCKS5";
    logRefused(this.#session, { protocol, what, reason });
    return refuse("error", answer);
  }
}

/**
 * The port that datagrams will come from (RFC 1928, section 6).
 *
 * @param source What the request says.
 * @param client Who asks.
 * @returns 0: the client does not say; nor does one that calls itself by
 * another address than the one it comes from, since whoever translates its
 * address does so with its ports too.
 */
function sourcePort({ address, port }: Target, client: SocketAddress): number {
  if (address === undefined) return 0;
  const isOwn = address.host === client.host ||
    isUnspecifiedIp(address.bytes);
  return isOwn ? port : 0;
}

function refuse(status: Status, answer?: Uint8Array): InboundAnswer {
  return { kind: "refuse", status, ending: "close", reply: answer };
}
