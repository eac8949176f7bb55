/**
 * The rules that settings must keep together, the defaults, and the warnings.
 * Scripts look for most of these words: they do not change.
 *
 * @module
 */

import { findMethod } from "../crypto/methods.ts";
import type { Draft } from "./_draft.ts";
import { NO_PORT, type Settings } from "./_settings.ts";
import { DEFAULT_FORBIDDEN, IpNetworks } from "./ip_networks.ts";
import { PORT } from "./_readers.ts";
import { issue, type Notice, warning } from "./notice.ts";
import type { Config, Role } from "./types.ts";

/** The method of a configuration that names none. */
export const DEFAULT_METHOD = "aes-256-gcm";

const DEFAULT_PORT = 8388;

/** Shorter passwords are in reach of guessing at a captured packet. */
const SHORT_PASSWORD = 12;

/** What the rules need to know besides the settings. */
export interface RuleContext {
  /** What the program is started as. */
  readonly role: Role;
  /** Whether users and groups are those of Unix. */
  readonly isUnix: boolean;
}

/**
 * Checks settings as a whole; adds issues and warnings to the draft.
 *
 * @param draft The settings.
 * @param context What they are for.
 */
export function applyRules(draft: Draft, context: RuleContext): void {
  const { settings } = draft;
  // Whoever stops a daemon need not say how it would run.
  if (settings.daemon === "stop") return;
  requireSettings(draft, context.role);
  warnOfAddresses(draft, context.role);
  warnOfMethod(draft);
  warnOfTimeout(draft);
  checkPasswords(draft, context.role);
  if (settings.user !== undefined && !context.isUnix) {
    draft.issues.push(
      issue("user can be used only on Unix", { style: "log" }),
    );
  }
}

/**
 * Makes a configuration of checked settings.
 *
 * @param settings The settings; the rules hold for them.
 * @param role What the program is started as.
 * @returns The configuration, defaults filled in.
 */
export function toConfig(settings: Settings, role: Role): Config {
  const isClient = isClientRole(role);
  const portPassword = isClient ? undefined : settings.portPassword;
  const password = portPassword === undefined ? settings.password ?? "" : "";
  const hasNoPort = !isClient && portPassword === undefined && password === "";
  return {
    role,
    server: settings.server ?? (isClient ? [] : ["0.0.0.0"]),
    serverPort: portPassword !== undefined
      ? [...portPassword.keys()]
      : settings.serverPort ?? (hasNoPort ? [] : [DEFAULT_PORT]),
    localAddress: settings.localAddress ?? "127.0.0.1",
    localPort: settings.localPort ?? 1080,
    password,
    portPassword,
    method: settings.method ?? DEFAULT_METHOD,
    timeout: settings.timeout ?? 300,
    mode: settings.mode ?? "tcp_and_udp",
    fastOpen: settings.fastOpen ?? false,
    workers: settings.workers ?? 1,
    oneTimeAuth: settings.oneTimeAuth ?? false,
    forbiddenIp: settings.forbiddenIp ?? new IpNetworks(DEFAULT_FORBIDDEN),
    preferIpv6: settings.preferIpv6 ?? false,
    dnsServer: settings.dnsServer ?? [],
    udpMaxAssociations: settings.udpMaxAssociations ?? 512,
    managerAddress: managerAddressOf(settings),
    managerDialect: settings.managerDialect ?? "python",
    user: settings.user,
    daemon: settings.daemon,
    pidFile: settings.pidFile ?? "/var/run/shadowsocks.pid",
    logFile: settings.logFile ?? "/var/log/shadowsocks.log",
    verbose: settings.verbose ?? 0,
    tunnelRemote: settings.tunnelRemote ?? "8.8.8.8",
    tunnelRemotePort: settings.tunnelRemotePort ?? 53,
    tunnelPort: settings.tunnelPort ?? 53,
    libopenssl: settings.libopenssl,
    libsodium: settings.libsodium,
    libmbedtls: settings.libmbedtls,
    eventLoop: settings.eventLoop,
  };
}

/**
 * What to say about a password that is easy to guess.
 *
 * @param password The password.
 * @param method The method that it is for.
 * @returns A warning; undefined if there is nothing to say.
 */
export function weakPassword(
  password: string,
  method: string,
): Notice | undefined {
  if ([...password].length >= SHORT_PASSWORD) return undefined;
  const text = `warning: a password of fewer than ${SHORT_PASSWORD} ` +
    "characters can be guessed from one captured packet; use a longer one";
  // Without authentication the password is the smaller worry, and scripts
  // that start such methods count the lines of level WARNING.
  return findMethod(method)?.legacy
    ? { level: "info", style: "log", text }
    : warning(text);
}

function isClientRole(role: Role): boolean {
  return role === "sslocal" || role === "sstunnel";
}

function requireSettings(draft: Draft, role: Role): void {
  const { settings, refused } = draft;
  const lacks = (field: keyof Settings): boolean =>
    settings[field] === undefined && !refused.has(field);
  const complain = (text: string): void => {
    draft.issues.push(issue(text, { style: "log", exitCode: 2 }));
  };
  if (isClientRole(role)) {
    if (lacks("server")) complain("server addr not specified");
    if (lacks("password")) complain("password not specified");
    if (settings.serverPort?.includes(0)) {
      const place = draft.place("serverPort");
      draft.issues.push(
        issue(`${place}"server_port" is 0: expected ${PORT}`),
      );
    }
    return;
  }
  const isManager = role === "ssmanager";
  if (isManager && lacks("managerAddress")) {
    complain("manager address not specified");
  } else if (
    !isManager && lacks("managerAddress") && lacks("password") &&
    lacks("portPassword")
  ) {
    complain("password or port_password not specified");
  }
  const { managerAddress } = settings;
  if (
    managerAddress !== undefined && "port" in managerAddress &&
    managerAddress.port === NO_PORT && lacks("managerPort")
  ) {
    const place = draft.place("managerAddress");
    complain(`${place}manager port not specified`);
  }
}

function warnOfAddresses(draft: Draft, role: Role): void {
  const { localAddress, server, serverPort } = draft.settings;
  if (
    isClientRole(role) && (localAddress === "0.0.0.0" || localAddress === "::")
  ) {
    draft.warnings.push(
      warning(
        `warning: local set to listen on ${localAddress}, it's not safe`,
      ),
    );
  }
  const [only] = server ?? [];
  if (
    server?.length === 1 && (only === "127.0.0.1" || only === "localhost")
  ) {
    const ports = serverPort ?? [DEFAULT_PORT];
    const shown = ports.length === 1 ? ports[0] : `[${ports.join(", ")}]`;
    draft.warnings.push(
      warning(
        `warning: server set to listen on ${only}:${shown}, are you sure?`,
      ),
    );
  }
}

function warnOfMethod(draft: Draft): void {
  const { method } = draft.settings;
  if (method === undefined) {
    if (draft.refused.has("method")) return;
    draft.warnings.push(
      warning(
        `no method given: using ${DEFAULT_METHOD}; ` +
          "shadowsocks Python would have taken aes-256-cfb",
      ),
    );
  } else if (method === "table" || method === "rc4") {
    const name = method === "rc4" ? "RC4" : method;
    draft.warnings.push(
      warning(
        `warning: ${name} is not safe; please use a safer cipher, ` +
          "like AES-256-CFB",
      ),
    );
  } else if (findMethod(method)?.legacy) {
    draft.warnings.push({
      level: "info",
      style: "log",
      text: `warning: ${method} has no authentication: what it sends can be ` +
        `changed on the way; ${DEFAULT_METHOD} is safe`,
    });
  }
}

function warnOfTimeout(draft: Draft): void {
  const { timeout = 300 } = draft.settings;
  if (timeout >= 100 && timeout <= 600) return;
  const judgement = timeout < 100 ? "short" : "long";
  draft.warnings.push(
    warning(
      `warning: your timeout ${Math.trunc(timeout)} seems too ${judgement}`,
    ),
  );
}

function checkPasswords(draft: Draft, role: Role): void {
  const { settings } = draft;
  const { password, serverPort } = settings;
  const method = settings.method ?? DEFAULT_METHOD;
  const portPassword = isClientRole(role) ? undefined : settings.portPassword;
  if (
    portPassword !== undefined &&
    (password !== undefined || serverPort !== undefined)
  ) {
    draft.warnings.push(
      warning(
        "warning: port_password should not be used with server_port and " +
          "password. server_port and password will be ignored",
      ),
    );
  }
  const used: readonly (readonly [keyof Settings, string])[] =
    portPassword !== undefined
      ? [...portPassword.values()].map((each) => ["portPassword", each])
      : password !== undefined
      ? [["password", password]]
      : [];
  const bad = used.find(([, each]) => each === "mypassword");
  if (bad !== undefined) {
    draft.issues.push(
      issue(
        `${draft.place(bad[0])}DON'T USE DEFAULT PASSWORD! ` +
          "Please change it in your config.json!",
        { style: "log" },
      ),
    );
    return;
  }
  for (const [, each] of used) {
    const notice = weakPassword(each, method);
    if (notice === undefined) continue;
    draft.warnings.push(notice);
    return;
  }
}

function managerAddressOf(settings: Settings): Config["managerAddress"] {
  const { managerAddress, managerPort } = settings;
  if (managerAddress === undefined || "path" in managerAddress) {
    return managerAddress;
  }
  return managerAddress.port === NO_PORT
    ? { host: managerAddress.host, port: managerPort ?? NO_PORT }
    : managerAddress;
}
