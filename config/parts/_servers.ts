/**
 * From the keys to the servers: those that a client reaches, or the ports that
 * a server listens on.
 *
 * @module
 */

import { formatHostPort } from "../../loop/mod.ts";
import { shown } from "../_shown.ts";
import type { Context, Top } from "../_context.ts";
import { Clashes } from "./_clashes.ts";
import { findMethod } from "../../crypto/methods.ts";
import { refuseLoops } from "./_fallbacks.ts";
import { nameAll, type Unnamed } from "./_names.ts";
import type { Secret } from "./_secrets.ts";
import {
  type PlacedUser,
  readUsers,
  refuseOtherPorts,
  UserChecks,
} from "./_server_users.ts";
import type { Spot } from "../formats/_place.ts";
import { isOf2022 } from "../readers/_psk.ts";
import { PORT } from "../readers/_readers.ts";
import type { ServerKeys } from "../keys/_server_keys.ts";
import type { Section } from "../keys/_shape.ts";
import type { Rejection, ServerConfig, ServerUser } from "../types.ts";

/** The method of a configuration that names none. */
export const DEFAULT_METHOD = "aes-256-gcm";

/** The port of a configuration that names none. */
export const DEFAULT_PORT = 8388;

/** Seconds of a configuration that names none. */
export const DEFAULT_TIMEOUT = 300;

/** Every port of one address; more is a mistake, or an attack on memory. */
const MAX_SERVERS = 65_536;

/** The servers, and what else the rules ask about them. */
export interface Servers {
  /** All that are not disabled. */
  readonly all: readonly ServerConfig[];
  /** Who has a name, for messages. */
  readonly owners: Map<string, string>;
  /** Names of servers that are disabled. */
  readonly disabled: ReadonlySet<string>;
  /** The tables that are not disabled. */
  readonly tables: readonly Section<ServerKeys>[];
  /** Whether the flat keys make servers. */
  readonly hasFlat: boolean;
  /** The passwords, those of users included, with their places. */
  readonly secrets: readonly Secret[];
  /** The users of the whole file; none for clients. */
  readonly outerUsers: readonly ServerUser[];
}

type DraftConfig = Omit<ServerConfig, "name" | "users" | "reject">;

interface Draft extends Unnamed {
  readonly config: DraftConfig;
  /** The users of its own. */
  readonly users: readonly PlacedUser[];
  /** What its own keys, or the outer ones, say. */
  readonly reject: Rejection | undefined;
  readonly at: Spot | undefined;
  readonly secretAt: Spot | undefined;
}

/**
 * Makes the servers.
 *
 * @param top The outermost table.
 * @param context Takes what is wrong.
 * @returns The servers.
 */
export function buildServers(top: Top, context: Context): Servers {
  const sections = [...(top.values.servers ?? []).entries()];
  const tables = sections.filter(([, { values }]) => values.disabled !== true);
  const outerUsers = usersIn(top, "", context);
  const hasFlat = isFlatGiven(top, context, tables.length > 0);
  const drafts = hasFlat ? flatDrafts(top, context) : [];
  for (const [i, section] of tables) {
    const label = `servers[${i}]`;
    const draft = draftOf(section, { label, top, context });
    if (draft !== undefined) drafts.push(draft);
  }
  if (!context.isClient) {
    refuseClashes(drafts, context);
    refuseLoops(drafts, context);
  }
  const checks = new UserChecks(context.findings);
  const users = drafts.map(({ config, label, at, users }) =>
    checks.usersOf(users.length > 0 ? [...outerUsers, ...users] : outerUsers, {
      ...config,
      label,
      at,
    })
  );
  refuseLostUsers(outerUsers, drafts, context);
  for (const { config: { port }, label, users } of drafts) {
    refuseOtherPorts(users, { port, label }, context.findings);
  }
  const owners = new Map<string, string>();
  const names = nameAll(drafts, owners, context);
  return {
    all: drafts.map(({ config, reject }, i) => ({
      name: names[i]!,
      ...config,
      users: users[i]!,
      reject: rejectionOf(config.method, reject),
    })),
    owners,
    disabled: new Set(
      sections.map(([, section]) => section)
        .filter(({ values }) => values.disabled === true)
        .map(({ values }) => values.name ?? addressName(values)),
    ),
    tables: tables.map(([, section]) => section),
    hasFlat,
    secrets: [
      ...drafts.map(({ config, label, secretAt }) => ({
        ...config,
        label: `the password of ${label}`,
        isChain: context.isClient,
        at: secretAt,
      })),
      ...[...new Set(drafts.map(({ config }) => config.method))]
        .flatMap((method) =>
          outerUsers.map((each) => userSecret(each, method))
        ),
      ...drafts.flatMap(({ config: { method }, users }) =>
        users.map((each) => userSecret(each, method))
      ),
    ],
    outerUsers: outerUsers.map(({ user }) => user),
  };
}

/**
 * What becomes of who does not authenticate: only the 2022 edition leaves the
 * choice (SIP022), the others have to be silent.
 *
 * @param method The method of the server.
 * @param asked What the configuration says.
 * @returns What holds.
 */
export function rejectionOf(
  method: string,
  asked: Rejection | undefined,
): Rejection {
  return isOf2022(findMethod(method)) ? asked ?? "reset" : "silent";
}

function hasUsers({ values }: Top | Section<ServerKeys>): boolean {
  return values.users !== undefined && values.users.length > 0;
}

/** Refuses users of 2022 whose server has no key. */
function requireKey(
  method: string,
  at: Spot | undefined,
  context: Context,
): void {
  if (!isOf2022(findMethod(method))) return;
  context.findings.refuse(
    `password not specified: with users of ${method} it is the key of the ` +
      `server, as "shadowsocks genkey ${method}" makes it`,
    at,
    { exitCode: 2 },
  );
}

/** The users of the outermost table, or of one of `[[servers]]`. */
function usersIn(
  section: Top | Section<ServerKeys>,
  label: string,
  context: Context,
): PlacedUser[] {
  const { users = [] } = section.values;
  if (users.length === 0) return [];
  if (!context.isClient) return readUsers(users, context.findings);
  context.findings.refuse(
    label === ""
      ? '"users" is for servers only: put the users of a local into ' +
        "[[locals]].users"
      : `"users" of ${label} is for servers only: a client has the key of ` +
        'one user in "password"',
    section.at("users"),
  );
  return [];
}

/** Refuses users of a port that nothing listens on. */
function refuseLostUsers(
  users: readonly PlacedUser[],
  drafts: readonly Draft[],
  context: Context,
): void {
  const ports = new Set(drafts.map(({ config }) => config.port));
  // A manager opens ports later, and the system chooses what 0 becomes.
  if (context.role === "ssmanager" || ports.size === 0 || ports.has(0)) return;
  for (const { user: { name, port }, nameAt } of users) {
    if (port === undefined || ports.has(port)) continue;
    context.findings.refuse(
      `user ${shown(name)} is for port ${port}, which no server of this file ` +
        "listens on",
      nameAt,
    );
  }
}

function userSecret(
  { user, secretAt }: PlacedUser,
  method: string,
): Secret {
  return {
    password: user.password,
    method: user.method ?? method,
    label: `the password of user ${shown(user.name)}`,
    isChain: false,
    at: secretAt,
  };
}

/** With `[[servers]]` the flat keys may be no more than their defaults. */
function isFlatGiven(top: Top, context: Context, hasTables: boolean): boolean {
  const { server, server_port, port_password, password } = top.values;
  if (context.isClient) return server !== undefined;
  // What else a manager finds here is for the ports that are added to it.
  if (context.role === "ssmanager") return port_password !== undefined;
  const isAsked = !hasTables || server !== undefined ||
    server_port !== undefined;
  const hasSecret = password !== undefined || hasUsers(top);
  return port_password !== undefined || (isAsked && hasSecret);
}

function flatDrafts(top: Top, context: Context): Draft[] {
  const { values } = top;
  const hosts = values.server ?? ["0.0.0.0"];
  const byPort = context.isClient ? undefined : values.port_password;
  const password = byPort === undefined ? values.password ?? "" : "";
  const pairs: (readonly [port: number, secret: string])[] =
    byPort === undefined
      ? (values.server_port ?? [DEFAULT_PORT]).map((port) => [port, password])
      : [...byPort];
  if (hosts.length * pairs.length > MAX_SERVERS) {
    context.findings.refuse(
      `${hosts.length} servers with ${pairs.length} ports each are more than ` +
        `${MAX_SERVERS}`,
      top.at("server"),
    );
    return [];
  }
  const common = commonOf(top, context);
  if (byPort === undefined && top.lacks("password") && hasUsers(top)) {
    requireKey(common.method, top.at("users"), context);
  }
  return hosts.flatMap((host) =>
    pairs.map(([port, secret]): Draft => ({
      config: { ...common, host, port, password: secret },
      users: [],
      reject: values.reject,
      label: "the server of the outermost keys",
      at: top.at(byPort === undefined ? "server_port" : "port_password"),
      name: { text: formatHostPort({ host, port }), isFixed: false },
      nameAt: undefined,
      secretAt: byPort === undefined
        ? top.at("password")
        : top.at("port_password", [String(port)]),
    }))
  );
}

type Common = Omit<DraftConfig, "host" | "port" | "password">;

/** What a server has that says nothing of its own. */
function commonOf({ values }: Top, context: Context): Common {
  return {
    fallback: context.isClient ? undefined : values.fallback,
    method: values.method ?? DEFAULT_METHOD,
    mode: values.mode ?? "tcp_and_udp",
    timeout: values.timeout ?? DEFAULT_TIMEOUT,
    fastOpen: values.fast_open ?? false,
    oneTimeAuth: values.one_time_auth ?? false,
    tcpWeight: 1,
    udpWeight: 1,
    proxy: values.outbound_proxy ?? [],
    acl: undefined,
  };
}

function draftOf(
  section: Section<ServerKeys>,
  { label, top, context }: { label: string; top: Top; context: Context },
): Draft | undefined {
  const { values } = section;
  const common = commonOf(top, context);
  const users = usersIn(section, label, context);
  const host = values.server ?? (context.isClient ? undefined : "0.0.0.0");
  const lack = (what: string): void =>
    context.findings.refuse(`${label}: ${what} not specified`, section.spot, {
      exitCode: 2,
    });
  if (host === undefined && section.lacks("server")) lack("server addr");
  const method = values.method ?? common.method;
  let password = values.password ?? top.values.password;
  if (password === undefined) {
    const isLacking = section.lacks("password") && top.lacks("password");
    if (!context.isClient && (hasUsers(section) || hasUsers(top))) {
      if (isLacking) requireKey(method, section.at("users"), context);
      password = "";
    } else if (isLacking) {
      lack("password");
    }
  }
  if (context.isClient && values.server_port === 0) {
    const name = section.nameOf("server_port");
    context.findings.refuse(
      `"${name}" is 0: expected ${PORT}`,
      section.at("server_port"),
    );
  }
  const acl = aclOf(section, label, context);
  if (host === undefined || password === undefined) return undefined;
  const port = values.server_port ?? DEFAULT_PORT;
  return {
    config: {
      host,
      port,
      method,
      password,
      fallback: context.isClient
        ? undefined
        : values.fallback ?? common.fallback,
      mode: values.mode ?? common.mode,
      timeout: values.timeout ?? common.timeout,
      fastOpen: values.fast_open ?? common.fastOpen,
      oneTimeAuth: values.one_time_auth ?? common.oneTimeAuth,
      tcpWeight: values.tcp_weight ?? common.tcpWeight,
      udpWeight: values.udp_weight ?? common.udpWeight,
      proxy: values.outbound_proxy ?? common.proxy,
      acl,
    },
    users,
    reject: values.reject ?? top.values.reject,
    label,
    at: section.at("server_port") ?? section.spot,
    name: {
      text: values.name ?? formatHostPort({ host, port }),
      isFixed: section.nameOf("name") === "name",
    },
    nameAt: section.at("name"),
    secretAt: section.at("password") ?? top.at("password"),
  };
}

function aclOf(
  section: Section<ServerKeys>,
  label: string,
  context: Context,
): ServerConfig["acl"] {
  const path = section.values.acl;
  if (path === undefined) return undefined;
  const at = section.at("acl");
  if (!context.isClient) return context.readAcl(path, at);
  context.findings.refuse(
    `"acl" of ${label} is for servers only: put it into [[locals]] or ` +
      "outside of all tables",
    at,
  );
  return undefined;
}

function addressName(values: Section<ServerKeys>["values"]): string {
  const { server: host = "0.0.0.0", server_port: port = DEFAULT_PORT } = values;
  return formatHostPort({ host, port });
}

function refuseClashes(drafts: readonly Draft[], context: Context): void {
  const clashes = new Clashes();
  for (const { config, label, at } of drafts) {
    const clash = clashes.add(config, label);
    if (clash === undefined) continue;
    context.findings.refuse(`${clash}: give it another "server_port"`, at);
  }
}
