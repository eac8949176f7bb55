/**
 * The rules that values must keep together, and the warnings. Scripts look for
 * most of these words: they do not change.
 *
 * @module
 */

import { findMethod } from "../../crypto/methods.ts";
import { isLoopbackIp, parseIp, unmapIp } from "../../loop/mod.ts";
import { NO_PORT } from "../readers/_address_readers.ts";
import type { Context, Top } from "../_context.ts";
import type { PlacedLocal } from "./_locals.ts";
import type { Spot } from "../formats/_place.ts";
import { PORT } from "../readers/_readers.ts";
import {
  DEFAULT_METHOD,
  DEFAULT_PORT,
  DEFAULT_TIMEOUT,
  type Servers,
} from "./_servers.ts";
import {
  checkKeys,
  refuseExample,
  type Secret,
  warnOfWeak,
} from "./_secrets.ts";

const PASSWORD_ELSEWHERE = "set SS_PASSWORD in the environment";

/** The servers and locals that a configuration makes. */
interface Parts {
  readonly servers: Servers;
  readonly locals: readonly PlacedLocal[];
}

/**
 * Checks that nothing needed is missing.
 *
 * @param top The outermost table.
 * @param parts The servers and locals made of it.
 * @param context Takes what is wrong.
 */
export function requireParts(
  top: Top,
  { servers, locals }: Parts,
  context: Context,
): void {
  const complain = (
    text: string,
    advice: string,
    key?: "manager_address",
  ): void =>
    context.findings.refuse(text, key && top.at(key), { exitCode: 2, advice });
  const { file } = context;
  const place = file === undefined ? "a file and name it with -c" : file;
  const add = (key: string, or: string): string =>
    `add "${key}" to ${place}, or ${or}`;
  const hasTables = servers.tables.length > 0;
  if (context.isClient) {
    // Where every local says where it goes, no server may be needed.
    const isFree = locals.length > 0 && top.lacks("server") &&
      locals.every(({ config }) => config.outbound !== undefined);
    const isFlatNeeded = !hasTables && !isFree &&
      top.lacks("servers");
    if (isFlatNeeded || servers.hasFlat) {
      if (isNone(top, servers)) {
        complain("server addr not specified", add("server", "use -s ADDRESS"));
      }
      const isRefused = top.values.port_password === undefined &&
        !top.lacks("port_password");
      if (top.lacks("password") && !isRefused) {
        complain(
          "password not specified",
          top.lacks("port_password")
            ? add("password", PASSWORD_ELSEWHERE)
            : '"port_password" is for servers: give a client one of its ' +
              'ports as "server_port" and "password"',
        );
      }
    } else if (!hasTables && !isFree && top.values.servers !== undefined) {
      complain(
        "every server is disabled: server addr not specified",
        'take "disabled" from one of [[servers]]',
      );
    }
    if (top.values.server_port?.includes(0)) {
      context.findings.refuse(
        `"server_port" is 0: expected ${PORT}`,
        top.at("server_port"),
      );
    }
    return;
  }
  const isManager = context.role === "ssmanager";
  if (isManager && top.lacks("manager_address")) {
    complain(
      "manager address not specified",
      add("manager_address", "use --manager-address 127.0.0.1:6001"),
    );
  } else if (
    !isManager && !hasTables && top.lacks("manager_address") &&
    top.lacks("password") && top.lacks("port_password") &&
    top.lacks("servers") && hasNoUsers(top)
  ) {
    complain(
      "password or port_password not specified",
      add("password", PASSWORD_ELSEWHERE),
    );
  }
  const { manager_address } = top.values;
  if (
    manager_address !== undefined && "port" in manager_address &&
    manager_address.port === NO_PORT && top.lacks("manager_port")
  ) {
    complain(
      "manager port not specified",
      'write the port behind the address, as in "127.0.0.1:6001"',
      "manager_address",
    );
  }
}

function hasNoUsers(top: Top): boolean {
  return top.lacks("users") || top.values.users?.length === 0;
}

function isNone(top: Top, servers: Servers): boolean {
  return top.lacks("server") && servers.tables.length === 0;
}

/**
 * Warns of addresses, methods, time-outs and passwords.
 *
 * @param top The outermost table.
 * @param parts The servers and locals made of it.
 * @param context Takes what is to be said.
 */
export function warnOfParts(
  top: Top,
  parts: Parts,
  context: Context,
): void {
  const { servers } = parts;
  warnOfAddresses(top, parts, context);
  warnOfProxies(top, parts, context);
  warnOfMethods(top, servers, context);
  warnOfTimeout(top, context);
  checkPasswords(top, servers.secrets, context);
  if (top.values.user !== undefined && !context.isUnix) {
    context.findings.refuse("user can be used only on Unix");
  }
}

function warnOfAddresses(
  top: Top,
  { servers, locals }: Parts,
  context: Context,
): void {
  for (const { config: { address, users } } of locals) {
    if (users.length > 0 || isLoopback(address)) continue;
    context.findings.warn(
      `warning: local set to listen on ${address}, it's not safe` +
        ': "users" in [[locals]] lets only some in',
    );
  }
  const { server, server_port: ports = [DEFAULT_PORT] } = top.values;
  const [only] = server ?? [];
  // The words of the original, for files in its form alone: with tables it is
  // plain what listens and what is reached.
  // A client may well be behind something that listens here; but scripts
  // start one by options alone and look for the line.
  const isPortRefused = top.values.server_port === undefined &&
    !top.lacks("server_port");
  const isFlat = servers.tables.length === 0 && top.lacks("locals") &&
    !(context.isClient && top.at("server") !== undefined);
  if (
    isFlat && server?.length === 1 && !isPortRefused &&
    (only === "127.0.0.1" || only === "localhost")
  ) {
    const shown = ports.length === 1 ? ports[0] : `[${ports.join(", ")}]`;
    context.findings.warn(
      `warning: server set to listen on ${only}:${shown}, are you sure?`,
    );
  }
}

/** Warns, once, of an `outbound_proxy` that UDP would have to go over. */
function warnOfProxies(
  top: Top,
  { servers, locals }: Parts,
  context: Context,
): void {
  // Where no local takes UDP none goes to the servers, whatever their mode.
  const isTaken = !context.isClient ||
    locals.some(({ config }) =>
      config.mode !== "tcp_only" && config.protocol !== "http"
    );
  if (!isTaken) return;
  const warn = (at: Spot | undefined): void =>
    context.findings.warn(
      '"outbound_proxy": proxies carry no UDP, so that what would go over ' +
        'them is refused: set mode = "tcp_only"',
      at,
    );
  const { mode, outbound_proxy: outer = [] } = top.values;
  const hasOuterUdp = mode !== "tcp_only";
  // Ports that a manager adds take the outer keys too.
  const isManaged = top.values.manager_address !== undefined;
  let isOuterUsed = hasOuterUdp && (servers.hasFlat || isManaged);
  for (const section of servers.tables) {
    const { mode: own, outbound_proxy: proxies } = section.values;
    const hasUdp = (own ?? mode) !== "tcp_only";
    if (proxies === undefined) isOuterUsed ||= hasUdp;
    else if (proxies.length > 0 && hasUdp) warn(section.at("outbound_proxy"));
  }
  if (outer.length > 0 && isOuterUsed) warn(top.at("outbound_proxy"));
}

/** Whether only this machine reaches what listens on an IP literal or name. */
function isLoopback(address: string): boolean {
  // RFC 6761, 6.3: `localhost` and names below it are loopback.
  if (/^(?:.+\.)?localhost\.?$/i.test(address)) return true;
  const literal = parseIp(address);
  return literal !== undefined && isLoopbackIp(unmapIp(literal));
}

function warnOfMethods(top: Top, servers: Servers, context: Context): void {
  // Ports that a manager adds take the outer method; a client may be without
  // servers.
  const isManaged = !context.isClient && servers.tables.length === 0;
  const isOuterUsed = isManaged || servers.hasFlat ||
    servers.tables.some((table) => table.lacks("method"));
  if (isOuterUsed && top.lacks("method")) {
    context.findings.warn(
      `no method given: using ${DEFAULT_METHOD}; ` +
        "shadowsocks Python would have taken aes-256-cfb",
    );
  }
  const used = new Set(servers.tables.map(({ values }) => values.method));
  if (isOuterUsed) used.add(top.values.method);
  for (const method of used) {
    if (method === "table" || method === "rc4") {
      const name = method === "rc4" ? "RC4" : method;
      context.findings.warn(
        `warning: ${name} is not safe; please use a safer cipher, ` +
          "like AES-256-CFB",
      );
    } else if (method !== undefined && findMethod(method)?.legacy) {
      context.findings.note({
        level: "info",
        style: "log",
        text: `${method} has no authentication: what it sends can ` +
          `be changed on the way; ${DEFAULT_METHOD} is safe`,
      });
    }
  }
}

function warnOfTimeout(top: Top, context: Context): void {
  const { timeout = DEFAULT_TIMEOUT } = top.values;
  if (timeout >= 100 && timeout <= 600) return;
  const judgement = timeout < 100 ? "short" : "long";
  context.findings.warn(
    `warning: your timeout ${Math.trunc(timeout)} seems too ${judgement}`,
  );
}

function checkPasswords(
  top: Top,
  secrets: readonly Secret[],
  context: Context,
): void {
  const { password, server_port, port_password } = top.values;
  if (
    !context.isClient && port_password !== undefined &&
    (password !== undefined || server_port !== undefined)
  ) {
    context.findings.warn(
      "warning: port_password should not be used with server_port and " +
        "password. server_port and password will be ignored",
    );
  }
  checkKeys(secrets, context.findings);
  if (!refuseExample(secrets, context.findings)) {
    warnOfWeak(secrets, context.findings);
  }
}
