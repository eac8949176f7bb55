/**
 * From the keys of a client to its listeners.
 *
 * @module
 */

import type { Context, Top } from "../_context.ts";
import { Clashes } from "./_clashes.ts";
import type { TopKeys } from "../keys/_keys.ts";
import type { LocalKeys } from "../keys/_local_keys.ts";
import type { Spot } from "../formats/_place.ts";
import type { Section } from "../keys/_shape.ts";
import { usersOf } from "./_users.ts";
import type { HostPort, LocalConfig } from "../types.ts";

/** What a client listens on when nothing is said. */
export const DEFAULT_LOCAL_ADDRESS = "127.0.0.1";
const DEFAULT_LOCAL_PORT = 1080;
const DEFAULT_TUNNEL_PORT = 53;
const DEFAULT_FORWARD: HostPort = { host: "8.8.8.8", port: 53 };

/** A listener, and how messages speak of it. */
export interface PlacedLocal {
  /** The listener. */
  readonly config: LocalConfig;
  /** What messages call it. */
  readonly label: string;
  /** Where its port, or else the whole of it, stands. */
  readonly at: Spot | undefined;
  /** Where its outbound stands. */
  readonly outboundAt: Spot | undefined;
}

/**
 * Makes the listeners of a client.
 *
 * @param top The outermost table.
 * @param context Reads files, takes what is wrong.
 * @returns The listeners; empty for servers.
 */
export function buildLocals(top: Top, context: Context): PlacedLocal[] {
  if (!context.isClient) return [];
  const tables = (top.values.locals ?? []).map((section, i) =>
    [section, `locals[${i}]`] as const
  ).filter(([section]) => section.values.disabled !== true);
  const locals = tables.map(([section, label]) =>
    localOf(section, { label, top, context })
  );
  const hasNone = top.lacks("locals") || top.values.locals?.length === 0;
  if (hasNone || isFlatGiven(top, context)) {
    locals.unshift(flatLocal(top, context));
  } else if (locals.length === 0 && top.values.locals !== undefined) {
    context.findings.refuse(
      "every local is disabled: there is nothing to listen on",
      top.at("locals"),
    );
  }
  refuseClashes(locals, context);
  return locals;
}

/** Beside `[[locals]]` the flat keys make one more if they are given. */
function isFlatGiven(top: Top, context: Context): boolean {
  const keys: readonly (keyof TopKeys)[] = context.role === "sstunnel"
    ? ["local_address", "tunnel_port", "tunnel_address", "tunnel_remote"]
    : ["local_address", "local_port"];
  return keys.some((key) => top.values[key] !== undefined);
}

function flatLocal(top: Top, context: Context): PlacedLocal {
  const { values } = top;
  const isTunnel = context.role === "sstunnel" || values.protocol === "tunnel";
  const common = {
    address: values.local_address ?? DEFAULT_LOCAL_ADDRESS,
    mode: values.mode ?? "tcp_and_udp",
    users: [],
    acl: undefined,
    outbound: undefined,
  };
  const label = "the local of the outermost keys";
  const portKey = context.role === "sstunnel" ? "tunnel_port" : "local_port";
  const at = top.at(portKey) ?? top.at("local_address");
  if (!isTunnel) {
    const port = values.local_port ?? DEFAULT_LOCAL_PORT;
    const protocol = values.protocol ?? "mixed";
    const config = { ...common, protocol, port, forward: undefined };
    return { config, label, at, outboundAt: undefined };
  }
  if (context.role === "sslocal" && top.lacks("tunnel_address")) {
    context.findings.refuse(
      'a tunnel needs "tunnel_address", which says where it leads to',
      top.at("protocol"),
    );
  }
  const forward = values.tunnel_address ?? {
    host: values.tunnel_remote ?? DEFAULT_FORWARD.host,
    port: values.tunnel_remote_port ?? DEFAULT_FORWARD.port,
  };
  const port = tunnelPort(top, context);
  const config = { ...common, protocol: "tunnel", port, forward } as const;
  return { config, label, at, outboundAt: undefined };
}

/**
 * A file for ss-tunnel has `local_port`, and with it `tunnel_address`; one for
 * the original's tunnel has neither meant for it.
 */
function tunnelPort(top: Top, context: Context): number {
  const { tunnel_port, local_port } = top.values;
  if (context.role === "sslocal") return local_port ?? DEFAULT_LOCAL_PORT;
  const isLibev = top.nameOf("tunnel_address") !== undefined;
  return tunnel_port ?? (isLibev ? local_port : undefined) ??
    DEFAULT_TUNNEL_PORT;
}

function localOf(
  section: Section<LocalKeys>,
  { label, top, context }: { label: string; top: Top; context: Context },
): PlacedLocal {
  const { values } = section;
  const protocol = values.protocol ?? "mixed";
  const isTunnel = protocol === "tunnel";
  const acl = values.acl;
  const users = usersOf(section, label, context);
  if (isTunnel && users.length > 0) {
    context.findings.refuse(
      `${label} is a tunnel, which cannot ask for users: remove them`,
      section.at("users") ?? section.spot,
    );
  }
  return {
    config: {
      protocol,
      address: values.local_address ?? DEFAULT_LOCAL_ADDRESS,
      port: values.local_port ?? DEFAULT_LOCAL_PORT,
      mode: values.mode ?? top.values.mode ?? "tcp_and_udp",
      forward: isTunnel ? forwardOf(section, label, context) : undefined,
      users,
      acl: acl === undefined
        ? undefined
        : context.readAcl(acl, section.at("acl")),
      outbound: values.outbound,
    },
    label,
    at: section.at("local_port") ?? section.spot,
    outboundAt: section.at("outbound"),
  };
}

function forwardOf(
  section: Section<LocalKeys>,
  label: string,
  context: Context,
): HostPort | undefined {
  const { forward_address: host, forward_port: port } = section.values;
  if (host !== undefined && port !== undefined) return { host, port };
  if (section.lacks("forward_address") || section.lacks("forward_port")) {
    context.findings.refuse(
      `${label} is a tunnel: it needs "forward_address" and "forward_port", ` +
        "which say where it leads to",
      section.at("protocol") ?? section.spot,
    );
  }
  return undefined;
}

function refuseClashes(locals: readonly PlacedLocal[], context: Context): void {
  const clashes = new Clashes();
  for (const { config: { address: host, port, mode }, label, at } of locals) {
    const clash = clashes.add({ host, port, mode }, label);
    if (clash === undefined) continue;
    context.findings.refuse(`${clash}: give it another "local_port"`, at);
  }
}
