/**
 * What to say to whoever starts the program without a role.
 *
 * @module
 */

import { makeKey } from "./genkey.ts";
import { ROLES } from "./roles.ts";
import type { Role } from "./types.ts";
import { versionText } from "./usage.ts";

/** What is printed, and how the process ends. */
export interface Answer {
  /** The lines, the last one ended. */
  readonly text: string;
  /** 0 for what was asked, 2 for a mistake. */
  readonly exitCode: 0 | 2;
  /** Whether it goes to standard error: the output is taken for a key. */
  readonly isAside?: boolean;
}

const USAGE = `usage: shadowsocks ROLE [OPTION]...

  sslocal     SOCKS and HTTP proxy in front of servers
  ssserver    the server
  sstunnel    forwards a port through a server
  ssmanager   servers added and removed while it runs
  demo        a server and a local on loopback, and real traffic through both
  genkey      prints a new key: genkey [METHOD]
  schema      prints the JSON Schema of configurations, for editors

A copy or link named after a role is that role. "ROLE --help" lists options.
`;

const SCHEMA_USAGE = `usage: shadowsocks schema > schema.json

Prints the JSON Schema of configurations, with which editors check them.
`;

const GENKEY_USAGE = `usage: shadowsocks genkey [METHOD]

Prints a new random key for METHOD, and nothing else: for a method of 2022
Base64 of the length that it needs, for any other, and without METHOD, a
password of 32 letters and digits. "ssserver --help" lists the methods.

  shadowsocks genkey 2022-blake3-aes-256-gcm
  (umask 077 && shadowsocks genkey > password.txt)
`;

/** The programs of shadowsocks-libev, and the roles that do the same. */
const LIBEV_NAMES: ReadonlyMap<string, Role> = new Map([
  ["ss-local", "sslocal"],
  ["ss-server", "ssserver"],
  ["ss-tunnel", "sstunnel"],
  ["ss-manager", "ssmanager"],
]);

const HELP: ReadonlySet<string | undefined> = new Set(["-h", "--help", "help"]);

/**
 * Answers a command line that begins with no role.
 *
 * @param word The first word; undefined if there is none.
 * @param args The words after it.
 * @returns What to print: the mistake last, so that it is not out of sight.
 */
export function answerWithoutRole(
  word: string | undefined,
  args: readonly string[],
): Answer {
  if (HELP.has(word)) return { text: USAGE, exitCode: 0 };
  if (word === "--version") return { text: versionText(), exitCode: 0 };
  if (word === "schema") {
    return HELP.has(args[0])
      ? { text: SCHEMA_USAGE, exitCode: 0 }
      : refusal(SCHEMA_USAGE, "schema takes no options");
  }
  if (word === "genkey") return answerGenkey(args);
  const roles = [...ROLES, "demo", "genkey", "schema"].join(", ");
  if (word === undefined) return refusal(USAGE, `no role given: ${roles}`);
  const same = LIBEV_NAMES.get(word);
  if (same !== undefined) {
    return refusal(USAGE, `${word} is no role: ${same} does the same`);
  }
  // Other words may be links or options with a password.
  return refusal(
    USAGE,
    /^\w[\w-]{0,19}$/.test(word)
      ? `${word} is no role: the roles are ${roles}`
      : `the role comes first, one of ${roles}`,
  );
}

function answerGenkey(args: readonly string[]): Answer {
  if (HELP.has(args[0])) return { text: GENKEY_USAGE, exitCode: 0 };
  const { key, problem } = args.length <= 1
    ? makeKey(args[0])
    : { problem: "genkey takes one METHOD" };
  return key === undefined
    ? { text: `ERROR: ${problem}\n`, exitCode: 2, isAside: true }
    : { text: `${key}\n`, exitCode: 0 };
}

function refusal(usage: string, text: string): Answer {
  return { text: `${usage}\nERROR: ${text}\n`, exitCode: 2 };
}
