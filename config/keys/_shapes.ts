/**
 * The forms that values have, each with its part of a JSON Schema. A number
 * may stand in quotes, as the programs before this one allow.
 *
 * @module
 */

import { methodNames } from "../../crypto/methods.ts";
import {
  type ManagerAddress,
  readEndpoint,
  readHost,
  readHosts,
  readManagerAddress,
  readNames,
  readNameServers,
  readNetworks,
  readPortPassword,
  readPorts,
  readProbeUrl,
} from "../readers/_address_readers.ts";
import { readProxies } from "../readers/_proxy_reader.ts";
import {
  readBoolean,
  readDaemon,
  readInteger,
  readListenPort,
  readMethod,
  readName,
  readPort,
  readSeconds,
  readText,
  readTimeout,
  readVerbose,
  readWeight,
  readWord,
} from "../readers/_readers.ts";
import {
  isTable,
  type Keys,
  type Reader,
  type Report,
  type Schema,
  type Section,
  type Shape,
  type TableSpec,
} from "./_shape.ts";
import { FORBIDDEN_WORDS } from "../../loop/mod.ts";
import {
  FOREIGN_PROTOCOLS,
  MODES,
  PROTOCOLS,
  REJECTIONS,
  STRATEGIES,
} from "./_words.ts";
import type {
  DaemonAction,
  HostPort,
  LocalProtocol,
  Mode,
  ProxyConfig,
  Rejection,
  Strategy,
} from "../types.ts";

const STRING: Schema = { type: "string", minLength: 1 };

/** True or false. */
export const BOOLEAN: Shape<boolean> = shape(readBoolean, { type: "boolean" });

/** A text that is not empty. */
export const TEXT: Shape<string> = shape(readText, STRING);

/** The name of a file, a user or the like. */
export const NAME: Shape<string> = shape(readName, STRING);

/** A name in a list of names. */
export const NAMES: Shape<readonly string[]> = shape(readNames, {
  type: "array",
  items: STRING,
});

/** Seconds, whole or not. */
export const SECONDS: Shape<number> = shape(readSeconds, {
  type: ["number", "string"],
  exclusiveMinimum: 0,
  pattern: "^[0-9]+$",
});

/** Seconds after which what is idle ends. */
export const TIMEOUT: Shape<number> = shape(readTimeout, {
  type: ["number", "string"],
  minimum: 1,
  pattern: "^[0-9]+$",
});

/** How much to log. */
export const VERBOSITY: Shape<number> = shape(readVerbose, {
  type: ["boolean", "integer"],
});

/** How much a server is preferred. */
export const WEIGHT: Shape<number> = shape(readWeight, {
  type: "number",
  minimum: 0,
  maximum: 1,
});

/** The name of an encryption method. */
export const METHOD: Shape<string> = shape(readMethod, {
  // Capitals are taken for small letters, which a schema cannot say.
  anyOf: [{ enum: [...methodNames()] }, { type: "string", pattern: "[A-Z]" }],
});

/** What a daemon is to do. */
export const DAEMON: Shape<DaemonAction> = shape(readDaemon, {
  enum: ["start", "stop", "restart"],
});

/** A port. */
export const PORT: Shape<number> = shape(readPort, numberSchema(1, 65535));

const ANY_PORT: Schema = numberSchema(0, 65535);

/** A port to listen on. */
export const LISTEN_PORT: Shape<number> = shape(readListenPort, ANY_PORT);

/** A port or several. */
export const PORTS: Shape<readonly number[]> = shape(
  readPorts,
  oneOrMore(ANY_PORT),
);

/** A host. */
export const HOST: Shape<string> = shape(readHost, STRING);

/** A host or several. */
export const HOSTS: Shape<readonly string[]> = shape(
  readHosts,
  oneOrMore(STRING),
);

/** A host and its port. */
export const ENDPOINT: Shape<HostPort> = shape(readEndpoint, STRING);

/** Where a manager listens. */
export const MANAGER_ADDRESS: Shape<ManagerAddress> = shape(
  readManagerAddress,
  STRING,
);

/** Name servers. */
export const NAME_SERVERS: Shape<readonly HostPort[]> = shape(
  readNameServers,
  oneOrMore(STRING),
);

/** Networks in CIDR form, and words for some. */
export const NETWORKS: Shape<readonly string[]> = shape(readNetworks, {
  type: ["string", "array"],
  items: { type: "string", examples: FORBIDDEN_WORDS },
});

/** Passwords by port. */
export const PORT_PASSWORD: Shape<ReadonlyMap<number, string>> = shape(
  readPortPassword,
  {
    type: "object",
    propertyNames: { pattern: "^[0-9]{1,5}$" },
    additionalProperties: STRING,
    minProperties: 1,
  },
);

/** Proxies, the nearest first. */
export const PROXIES: Shape<readonly ProxyConfig[]> = shape(
  readProxies,
  oneOrMore({ type: "string", pattern: "^(socks5|http)://" }, 0),
);

/** What a group probes. */
export const PROBE_URL: Shape<string> = shape(readProbeUrl, {
  type: "string",
  pattern: "^(http://.*)?$",
});

/** Which protocols are relayed. */
export const MODE: Shape<Mode> = word(...MODES);

/** What a server does with who does not authenticate. */
export const REJECTION: Shape<Rejection> = word(...REJECTIONS);

/** How a group picks one of its members. */
export const STRATEGY: Shape<Strategy> = word(...STRATEGIES);

/** What a local speaks. */
export const PROTOCOL: Shape<LocalProtocol> = shape(readProtocol, {
  enum: PROTOCOLS,
});

/**
 * Makes the shape of whole numbers.
 *
 * @param min The least.
 * @param max The greatest.
 * @returns The shape.
 */
export function integer(min: number, max: number): Shape<number> {
  return shape(readInteger(min, max), numberSchema(min, max));
}

/**
 * Makes the shape of a word out of several.
 *
 * @param words The words.
 * @returns The shape.
 */
export function word<T extends string>(...words: readonly T[]): Shape<T> {
  return shape(readWord(...words), { enum: words });
}

const TABLE = "a table of values";

/**
 * Makes the shape of a table.
 *
 * @param spec What it may hold.
 * @returns The shape.
 */
export function table<K extends Keys>(spec: TableSpec<K>): Shape<Section<K>> {
  return {
    read: (value, report) =>
      isTable(value)
        ? report.table(spec, value, [])
        : report.expected(spec.form ?? TABLE),
    schema: { type: "object" },
    inside: spec,
  };
}

/**
 * Makes the shape of a list of tables.
 *
 * @param spec What each may hold.
 * @param options Whether tables that are disabled are looked at like others.
 * @returns The shape.
 */
export function tables<K extends Keys>(
  spec: TableSpec<K>,
  { keepsDisabled = false }: { readonly keepsDisabled?: boolean } = {},
): Shape<readonly Section<K>[]> {
  return {
    read(value, report): readonly Section<K>[] | undefined {
      if (!Array.isArray(value)) {
        return report.expected(`a list of tables, ${spec.name}`);
      }
      const sections: Section<K>[] = [];
      let isWhole = true;
      for (const [i, entry] of value.entries()) {
        if (!isTable(entry)) {
          isWhole = false;
          report.expected(spec.form ?? TABLE, { path: [i], value: entry });
          continue;
        }
        const part = keepsDisabled ? entry : enabledPart(entry);
        sections.push(report.table(spec, part, [i]));
      }
      return isWhole ? sections : undefined;
    },
    schema: { type: "array" },
    inside: spec,
  };
}

/** What is still looked at in a table that is disabled: its name. */
const NAMING: ReadonlySet<string> = new Set([
  "disabled",
  "name",
  "remarks",
  "server",
  "address",
  "server_port",
  "port",
]);

function enabledPart(
  entry: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  if (entry.disabled !== true) return entry;
  return Object.fromEntries(
    Object.entries(entry).filter(([name]) => NAMING.has(name)),
  );
}

function readProtocol(
  value: unknown,
  report: Report,
): LocalProtocol | undefined {
  if (!FOREIGN_PROTOCOLS.has(value)) {
    return readWord(...PROTOCOLS)(value, report);
  }
  return report.refused(
    `protocol "${value}" is not available in this version: expected ` +
      `one of ${PROTOCOLS.join(", ")}`,
  );
}

function shape<T>(read: Reader<T>, schema: Schema): Shape<T> {
  return { read, schema };
}

function numberSchema(minimum: number, maximum: number): Schema {
  return {
    type: ["integer", "string"],
    minimum,
    maximum,
    pattern: "^-?[0-9]{1,15}$",
  };
}

function oneOrMore(items: Schema, minItems = 1): Schema {
  return { anyOf: [items, { type: "array", items, minItems }] };
}
