/**
 * The options of the command line, by role, with their lines of the usage
 * text.
 *
 * @module
 */

import type { Option } from "./getopt.ts";
import type { Role } from "./types.ts";

/** An option and what it does. */
export interface OptionRow extends Option {
  /** What it does: sets a key to its value or to a constant, or acts. */
  readonly effect:
    | { readonly kind: "value"; readonly key: string }
    | {
      readonly kind: "constant";
      readonly key: string;
      readonly value: boolean | string;
    }
    | { readonly kind: "verbosity"; readonly step: 1 | -1 }
    | { readonly kind: "config" | "check" | "help" | "version" };
  /** The two columns of the usage text; without them it is not shown. */
  readonly help?: readonly [left: string, right: string];
  /** The part of the usage text. */
  readonly section: "proxy" | "general";
}

/** Rows that differ between the roles. */
interface Words {
  readonly server: string;
  readonly localPort: string;
  readonly localPortKey: string;
}

/**
 * The options of a role.
 *
 * @param role What the program is started as.
 * @returns The options in the order of the usage text.
 */
export function optionsOf(role: Role): readonly OptionRow[] {
  switch (role) {
    case "sslocal":
      return [...proxyOptions(CLIENT_WORDS), ...GENERAL];
    case "sstunnel":
      return [...proxyOptions(TUNNEL_WORDS), ...GENERAL];
    case "ssserver":
    case "ssmanager":
      return [...proxyOptions(SERVER_WORDS), ...GENERAL];
    default:
      return role satisfies never;
  }
}

const CLIENT_WORDS: Words = {
  server: "server address",
  localPort: "local port, default: 1080",
  localPortKey: "local_port",
};

const TUNNEL_WORDS: Words = {
  server: "server address",
  localPort: "local port, default: 53",
  localPortKey: "tunnel_port",
};

const SERVER_WORDS: Words = {
  server: "server address, default: 0.0.0.0",
  localPort: "",
  localPortKey: "",
};

function proxyOptions(words: Words): OptionRow[] {
  const isServer = words === SERVER_WORDS;
  return [
    act("config", "c", {
      long: "config",
      takesValue: true,
      help: ["-c, --config=CONFIG", "file with the settings, JSON or TOML"],
    }),
    value("s", "server", ["-s SERVER_ADDR", words.server]),
    value("p", "server_port", ["-p SERVER_PORT", "server port, default: 8388"]),
    ...(isServer ? [] : [
      value("b", "local_address", [
        "-b LOCAL_ADDR",
        "address to listen on, default: 127.0.0.1",
      ]),
      value("l", words.localPortKey, ["-l LOCAL_PORT", words.localPort]),
    ]),
    ...(words === TUNNEL_WORDS
      ? [
        value("L", "tunnel_address", [
          "-L HOST:PORT",
          "where the tunnel leads to, default: 8.8.8.8:53",
        ]),
      ]
      : []),
    value("k", "password", [
      "-k PASSWORD",
      "password; others can see it here, better use a file",
    ]),
    value("m", "method", [
      "-m METHOD",
      "encryption method, default: aes-256-gcm",
    ]),
    value("t", "timeout", [
      "-t TIMEOUT",
      "timeout in seconds, default: 300",
    ]),
    flag("a", "one_time_auth", [
      "-a",
      "authenticate each chunk of an old cipher (OTA)",
    ]),
    flag("fast-open", "fast_open", [
      "--fast-open",
      "send data with the first packet (TCP Fast Open)",
    ]),
    value("mode", "mode", [
      "--mode=MODE",
      "tcp_only, udp_only or tcp_and_udp (default)",
    ]),
    constant("u", "mode", "tcp_and_udp"),
    constant("U", "mode", "udp_only"),
    ...(isServer ? SERVER_ONLY : []),
    value("libopenssl", "libopenssl", [
      "--libopenssl=PATH",
      "file of OpenSSL's libcrypto to use",
    ]),
    value("libmbedtls", "libmbedtls", [
      "--libmbedtls=PATH",
      "file of Mbed TLS's libmbedcrypto to use",
    ]),
    value("libsodium", "libsodium", [
      "--libsodium=PATH",
      "file of libsodium to use",
    ]),
    value("event-loop", "event_loop", [
      "--event-loop=NAME",
      "epoll or deno, default: the best one here",
    ]),
  ];
}

const SERVER_ONLY: readonly OptionRow[] = [
  value("workers", "workers", [
    "--workers=WORKERS",
    "processes that share the ports, default: 1",
  ]),
  value("forbidden-ip", "forbidden_ip", [
    "--forbidden-ip=IPLIST",
    "networks that clients may not reach, with commas",
  ]),
  value("manager-address", "manager_address", [
    "--manager-address=ADDR",
    "host:port, or socket path, to be managed at",
  ]),
  flag("prefer-ipv6", "prefer_ipv6", [
    "--prefer-ipv6",
    "try the IPv6 addresses of a name first",
  ]),
];

const GENERAL: readonly OptionRow[] = [
  act("help", "h", {
    long: "help",
    help: ["-h, --help", "show this text and exit"],
  }),
  general(
    value("d", "daemon", [
      "-d start/stop/restart",
      "run in the background, or stop doing so",
    ]),
  ),
  general(
    value("pid-file", "pid-file", [
      "--pid-file=PID_FILE",
      "where -d keeps the process id",
    ]),
  ),
  general(
    value("log-file", "log-file", [
      "--log-file=LOG_FILE",
      "where -d sends the log",
    ]),
  ),
  general(
    value("user", "user", [
      "--user=USER",
      "user to become once the ports are open",
    ]),
  ),
  {
    short: "v",
    takesValue: false,
    effect: { kind: "verbosity", step: 1 },
    help: ["-v, -vv", "log more: DEBUG, or VERBOSE too"],
    section: "general",
  },
  {
    short: "q",
    takesValue: false,
    effect: { kind: "verbosity", step: -1 },
    help: ["-q, -qq", "log less: warnings, or errors only"],
    section: "general",
  },
  act("check", undefined, {
    long: "check",
    help: ["--check", "check the configuration and exit"],
  }),
  act("version", undefined, {
    long: "version",
    help: ["--version", "show the version and exit"],
  }),
];

type Help = readonly [left: string, right: string];

/** One letter is a short name; more are a long one. */
function named(name: string): Pick<Option, "short" | "long"> {
  return name.length === 1 ? { short: name } : { long: name };
}

function value(name: string, key: string, help: Help): OptionRow {
  return {
    ...named(name),
    takesValue: true,
    effect: { kind: "value", key },
    help,
    section: "proxy",
  };
}

function flag(name: string, key: string, help: Help): OptionRow {
  return { ...constant(name, key, true), help };
}

function constant(
  name: string,
  key: string,
  value: boolean | string,
): OptionRow {
  return {
    ...named(name),
    takesValue: false,
    effect: { kind: "constant", key, value },
    section: "proxy",
  };
}

function general(row: OptionRow): OptionRow {
  return { ...row, section: "general" };
}

function act(
  kind: "config" | "check" | "help" | "version",
  short: string | undefined,
  { long, takesValue = false, help }: {
    long: string;
    takesValue?: boolean;
    help: Help;
  },
): OptionRow {
  return {
    short,
    long,
    takesValue,
    effect: { kind },
    help,
    section: kind === "config" ? "proxy" : "general",
  };
}
