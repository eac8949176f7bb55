/**
 * From the keys to the servers: those that a client reaches, or the ports that
 * a server listens on.
 *
 * @module
 */

import { formatHostPort } from "../../loop/mod.ts";
import type { Context, Top } from "../_context.ts";
import { Clashes } from "./_clashes.ts";
import { nameAll, type Unnamed } from "./_names.ts";
import type { Spot } from "../formats/_place.ts";
import { PORT } from "../readers/_readers.ts";
import type { ServerKeys } from "../keys/_server_keys.ts";
import type { Section } from "../keys/_shape.ts";
import type { ServerConfig } from "../types.ts";

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
  /** The passwords, with their places. */
  readonly secrets: readonly Secret[];
}

/** A password that is used. */
export interface Secret {
  /** The password. */
  readonly password: string;
  /** The method that it is for. */
  readonly method: string;
  /** Where it stands. */
  readonly at: Spot | undefined;
}

interface Draft extends Unnamed {
  readonly config: Omit<ServerConfig, "name">;
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
  const hasFlat = isFlatGiven(top, context, tables.length > 0);
  const drafts = hasFlat ? flatDrafts(top, context) : [];
  for (const [i, section] of tables) {
    const label = `servers[${i}]`;
    const draft = draftOf(section, { label, top, context });
    if (draft !== undefined) drafts.push(draft);
  }
  if (!context.isClient) refuseClashes(drafts, context);
  const owners = new Map<string, string>();
  const names = nameAll(drafts, owners, context);
  return {
    all: drafts.map(({ config }, i) => ({ name: names[i]!, ...config })),
    owners,
    disabled: new Set(
      sections.map(([, section]) => section)
        .filter(({ values }) => values.disabled === true)
        .map(({ values }) => values.name ?? addressName(values)),
    ),
    tables: tables.map(([, section]) => section),
    hasFlat,
    secrets: drafts.map(({ config, secretAt }) => ({
      ...config,
      at: secretAt,
    })),
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
  return port_password !== undefined || (isAsked && password !== undefined);
}

function flatDrafts(top: Top, context: Context): Draft[] {
  const { values } = top;
  const hosts = values.server ?? ["0.0.0.0"];
  const byPort = context.isClient ? undefined : values.port_password;
  const password = byPort === undefined
    ? context.expand(values.password ?? "", top.at("password"))
    : "";
  const pairs: (readonly [port: number, secret: string])[] =
    byPort === undefined
      ? (values.server_port ?? [DEFAULT_PORT]).map((port) => [port, password])
      : [...byPort].map(([port, secret]) => [
        port,
        context.expand(secret, top.at("port_password", [String(port)])),
      ]);
  if (hosts.length * pairs.length > MAX_SERVERS) {
    context.findings.refuse(
      `${hosts.length} servers with ${pairs.length} ports each are more than ` +
        `${MAX_SERVERS}`,
      top.at("server"),
    );
    return [];
  }
  const common = commonOf(top);
  return hosts.flatMap((host) =>
    pairs.map(([port, secret]): Draft => ({
      config: { ...common, host, port, password: secret },
      label: "the server of the outermost keys",
      at: top.at(byPort === undefined ? "server_port" : "port_password"),
      name: { text: formatHostPort({ host, port }), isFixed: false },
      nameAt: undefined,
      secretAt: byPort === undefined
        ? top.at("password")
        : top.at("port_password"),
    }))
  );
}

type Common = Omit<ServerConfig, "name" | "host" | "port" | "password">;

/** What a server has that says nothing of its own. */
function commonOf({ values }: Top): Common {
  return {
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
  const common = commonOf(top);
  const password = values.password ?? top.values.password;
  const host = values.server ?? (context.isClient ? undefined : "0.0.0.0");
  const lack = (what: string): void =>
    context.findings.refuse(`${label}: ${what} not specified`, section.spot, {
      exitCode: 2,
    });
  if (host === undefined && section.lacks("server")) lack("server addr");
  if (
    password === undefined && section.lacks("password") && top.lacks("password")
  ) {
    lack("password");
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
      method: values.method ?? common.method,
      password: context.expand(
        password,
        section.at("password") ?? top.at("password"),
      ),
      mode: values.mode ?? common.mode,
      timeout: values.timeout ?? common.timeout,
      fastOpen: values.fast_open ?? common.fastOpen,
      oneTimeAuth: values.one_time_auth ?? common.oneTimeAuth,
      tcpWeight: values.tcp_weight ?? common.tcpWeight,
      udpWeight: values.udp_weight ?? common.udpWeight,
      proxy: values.outbound_proxy ?? common.proxy,
      acl,
    },
    label,
    at: section.at("server_port") ?? section.spot,
    name: {
      text: values.name ?? formatHostPort({ host, port }),
      isFixed: section.nameOf("name") === "name",
    },
    nameAt: section.at("name"),
    secretAt: section.at("password"),
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
