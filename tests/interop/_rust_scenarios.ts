/**
 * What is done with the configurations of `rust/`: their servers, what is
 * asked, and what ours answers differently on purpose.
 *
 * @module
 */

import type { Target } from "../support/mod.ts";
import {
  askDatagram,
  askTunnel,
  connect,
  fetchPage,
  type Outcomes,
  type Probe,
  sendRaw,
} from "./_probes.ts";
import type { RustConfig, WayTarget } from "./_rust.ts";

/** A server that a configuration for clients names. */
export interface Server {
  /** The port in the file. */
  readonly port: number;
  /** Its method. */
  readonly method: string;
  /** Its password. */
  readonly password: string;
}

/** The targets of all probes. */
export interface Targets {
  /** Serves on 127.0.0.1. */
  readonly home: WayTarget;
  /** Serve on other addresses, by their last numbers. */
  readonly others: ReadonlyMap<number, WayTarget>;
  /** Nobody listens there. */
  readonly refused: Target;
}

/** A configuration for clients, and what is done with it. */
export interface Scenario {
  /** The file. */
  readonly name: string;
  /** The servers that it names. */
  readonly servers: readonly Server[];
  /** How many TCP listeners and UDP sockets rust opens. */
  readonly listeners: number;
  /** How many listeners ours tells of. */
  readonly lines: number;
  /** The last numbers of addresses that targets serve on besides 1. */
  readonly addresses?: readonly number[];
  /**
   * What is asked.
   *
   * @param config Knows the ports.
   * @param targets What is asked for.
   * @returns The probes.
   */
  probes(config: RustConfig, targets: Targets): readonly Probe[];
  /**
   * What ours answers differently on purpose.
   *
   * @param theirs What rust's has answered.
   * @returns The probes with another outcome.
   */
  differs?(theirs: Outcomes): Outcomes;
}

/** A server, the first of most files. */
export const GCM: Server = {
  port: 8388,
  method: "aes-256-gcm",
  password: "rwQc8qPXVsRpGx3uW+Y3Lj4Y42yF9Bs0xg1pmx8/+bo=",
};
/** A server, the second of most files. */
export const CHACHA: Server = {
  port: 8389,
  method: "chacha20-ietf-poly1305",
  password: "/dliNXn5V4jg6vBW4MnC1I8Jljg9x7vSihmk6UZpRBM=",
};
/** The port of a target in the files. */
export const HOME = 8053;
/** The answer to a greeting, version and code of the reply. */
const REPLY = 4;
/** Who may use what in `auth.json`. */
const ALICE = "alice:a secret of alice";
const BOB = "bob:geheim äöü";
const CAROL = "carol:a secret: of carol";
const LOGINS = [undefined, ALICE, BOB, CAROL, "alice:wrong", "alice:"];

/** The configurations for clients. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "balancer",
    servers: [GCM, CHACHA],
    listeners: 3,
    lines: 2,
    probes(config, { home, refused }): readonly Probe[] {
      const [socks, http] = [config.port(1080), config.port(3128)];
      return [
        ...proxyProbes(socks, home, refused),
        ...httpProbes(http, home, refused),
        ["a disabled local", () => reach(config.port(1081))],
      ];
    },
  },
  {
    name: "tunnel",
    servers: [GCM],
    listeners: 4,
    lines: 3,
    probes(config, { home }): readonly Probe[] {
      const [socks, both, tcp] = [1080, 5353, 5354].map((port) =>
        config.port(port)
      );
      return [
        ["socks", () => fetchPage(["socks5h", socks!], home)],
        ["udp of tcp_only", () => askDatagram(socks!, home)],
        ["tunnel", () => fetchDirectly(both!)],
        ["tunnel, udp", () => askTunnel(both!)],
        ["tunnel to a name", () => fetchDirectly(tcp!)],
        ["tunnel to a name, udp", () => askTunnel(tcp!)],
      ];
    },
  },
  {
    name: "acl",
    servers: [GCM],
    listeners: 4,
    lines: 2,
    addresses: [2, 3, 4, 8, 9, 11],
    probes(config, targets): readonly Probe[] {
      return [1080, 1081].flatMap((port) =>
        aclProbes(`${port}`, config.port(port), targets)
      );
    },
    differs: blockedHere,
  },
  {
    name: "auth",
    servers: [GCM],
    listeners: 5,
    lines: 3,
    probes(config, { home, refused }): readonly Probe[] {
      const [socks, http, mixed] = [1080, 3128, 1081].map((port) =>
        config.port(port)
      );
      return [
        ...authProbes("socks", socks!, home, refused),
        ...authProbes("http", http!, home, refused),
        ...authProbes("mixed", mixed!, home, refused),
      ];
    },
    differs: usersOfBoth,
  },
  {
    name: "flat",
    servers: [{
      port: 8388,
      method: "chacha20-ietf-poly1305",
      password: "correct horse battery staple",
    }],
    listeners: 2,
    lines: 1,
    probes(config, { home, refused }): readonly Probe[] {
      return proxyProbes(config.port(1080), home, refused);
    },
  },
  {
    name: "packaged",
    servers: [{
      port: 8388,
      method: "chacha20-ietf-poly1305",
      password: "password-svr2",
    }],
    listeners: 3,
    lines: 3,
    probes(config, { home, refused }): readonly Probe[] {
      return [
        ...proxyProbes(config.port(1080), home, refused),
        ...httpProbes(config.port(3128), home, refused),
        ["tunnel", () => fetchDirectly(config.port(5353))],
        ["tunnel, udp", () => askTunnel(config.port(5353))],
      ];
    },
    differs: withDatagrams,
  },
];

/**
 * A page that was asked for plainly and whose target cannot be had: rust's ends
 * the connection, ours answers.
 *
 * @param theirs What rust's has answered.
 * @returns The probes with another outcome.
 */
export function answersRefusal(theirs: Outcomes): Outcomes {
  const name = "http, refused";
  return theirs[name] === "cut off, CONNECT 0, status 0"
    ? { [name]: "curl 0, CONNECT 0, status 502" }
    : {};
}

/** `[outbound_block_list]` counts for rust's servers, here for clients too. */
function blockedHere(theirs: Outcomes): Outcomes {
  const ours: Record<string, string> = {};
  const blocked = "127.0.0.4";
  for (
    const host of [blocked, "blocked.localhost", "below.blocked.localhost"]
  ) {
    ours[`1080: ${host}`] = "curl 97, CONNECT 0, status 0";
    ours[`1080: reply ${host}`] = "reply 2";
    ours[`1080: http ${host}`] = "curl 0, CONNECT 0, status 403";
    ours[`1080: udp ${host}`] = "silence";
  }
  const served = theirs["served by 0"]?.split(", ")
    .filter((target) => !target.includes(blocked));
  return served === undefined
    ? ours
    : { ...ours, "served by 0": served.join(", ") };
}

/**
 * A SOCKS port with users speaks no HTTP in rust's; ours asks for the same
 * users there. Users of both files are users of the port, whatever they speak.
 */
function usersOfBoth(theirs: Outcomes): Outcomes {
  const served = theirs[`socks: socks5h ${ALICE}`]!;
  const ours: Record<string, string> = {};
  for (const label of ["socks", "mixed"]) {
    const users = label === "mixed" ? [ALICE, BOB, CAROL] : [ALICE, BOB];
    for (const login of LOGINS) {
      const isUser = login !== undefined && users.includes(login);
      ours[`${label}: http ${login}`] = isUser
        ? served
        : "curl 0, CONNECT 0, status 407";
      ours[`${label}: CONNECT ${login}`] = isUser
        ? served
        : "cut off, CONNECT 407, status 0";
    }
    // Any code but 0 says no: RFC 1929, section 2.
    ours[`${label}: wrong password`] = "5,2,1,1";
  }
  ours[`mixed: socks5h ${CAROL}`] = served;
  return ours;
}

/** `mode` is `tcp_only` in rust's where the file has none. */
function withDatagrams(theirs: Outcomes): Outcomes {
  const served = theirs["served by 0"];
  const way = theirs["socks5"]!;
  const ours = { udp: way, "udp to a name": way, "tunnel, udp": way };
  const datagrams = served?.split(", ")
    .filter((target) =>
      /names/.test(target) || target === served.split(", ")[0]
    )
    .map((target) => target.replace("tcp", "udp"));
  return datagrams === undefined
    ? ours
    : { ...ours, "served by 0": [served, ...datagrams].join(", ") };
}

/** What a SOCKS port is asked, which takes HTTP too. */
function proxyProbes(port: number, home: Target, refused: Target): Probe[] {
  const name = { hostname: "names.localhost", port: home.port };
  const lost = { hostname: "lost.invalid", port: home.port };
  return [
    ["socks4", () => fetchPage(["socks4", port], home)],
    ["socks4a, a name", () => fetchPage(["socks4a", port], name)],
    ["socks5", () => fetchPage(["socks5", port], home)],
    ["socks5h, a name", () => fetchPage(["socks5h", port], name)],
    ["http at socks", () => fetchPage(["http", port], home)],
    ["CONNECT at socks", () => fetchPage(["http", port], home, "-p")],
    ["udp", () => askDatagram(port, home)],
    ["udp to a name", () => askDatagram(port, name)],
    ["refused", () => connect(port, refused)],
    ["refused, socks4", () => fetchPage(["socks4", port], refused)],
    ["no such name", () => connect(port, lost)],
    ["BIND", () => sendRaw(port, request(2), REPLY)],
    ["an unknown command", () => sendRaw(port, request(9), REPLY)],
    ["only GSSAPI", () => sendRaw(port, Uint8Array.of(5, 1, 1), 2)],
  ];
}

/** A greeting and a request of SOCKS5 for 127.0.0.1:1. */
function request(command: number): Uint8Array {
  return Uint8Array.of(5, 1, 0, 5, command, 0, 1, 127, 0, 0, 1, 0, 1);
}

/** What an HTTP port is asked. */
function httpProbes(port: number, home: Target, refused: Target): Probe[] {
  const name = { hostname: "names.localhost", port: home.port };
  return [
    ["http", () => fetchPage(["http", port], home)],
    ["http, a name", () => fetchPage(["http", port], name)],
    ["CONNECT", () => fetchPage(["http", port], home, "-p")],
    ["http, refused", () => fetchPage(["http", port], refused)],
    ["CONNECT, refused", () => fetchPage(["http", port], refused, "-p")],
    ["socks5 at http", () => fetchPage(["socks5h", port], home)],
  ];
}

/**
 * Targets of every kind of rule.
 *
 * @param label Begins the names of the probes.
 * @param port A SOCKS port that takes HTTP too.
 * @param targets The targets.
 * @returns The probes.
 */
export function aclProbes(
  label: string,
  port: number,
  targets: Targets,
): Probe[] {
  const { home, others } = targets;
  const names = [
    "names",
    "exact",
    "below.exact",
    "tree",
    "below.tree",
    "nottree",
    "inner.tree",
    "abcde.pattern",
    "ABCDE.pattern",
    "abc.pattern",
    "blocked",
    "below.blocked",
  ].map((name) => ({ hostname: `${name}.localhost`, port: home.port }));
  return [home, ...others.values(), ...names].flatMap((target): Probe[] => [
    [
      `${label}: ${target.hostname}`,
      () => fetchPage(["socks5h", port], target),
    ],
    [`${label}: reply ${target.hostname}`, () => connect(port, target)],
    [
      `${label}: http ${target.hostname}`,
      () => fetchPage(["http", port], target),
    ],
    [`${label}: udp ${target.hostname}`, () => askDatagram(port, target)],
  ]);
}

/** Users who are right, wrong and missing, in every protocol. */
function authProbes(
  label: string,
  port: number,
  home: Target,
  refused: Target,
): Probe[] {
  const alice = { name: "alice", password: "a secret of alice" };
  return [
    ...LOGINS.flatMap((login): Probe[] => [
      [
        `${label}: socks5h ${login}`,
        () => fetchPage(["socks5h", port, login], home),
      ],
      [`${label}: http ${login}`, () => fetchPage(["http", port, login], home)],
      [
        `${label}: CONNECT ${login}`,
        () => fetchPage(["http", port, login], home, "-p"),
      ],
    ]),
    [`${label}: socks4`, () => fetchPage(["socks4", port], home)],
    [
      `${label}: socks4a, alice`,
      () => fetchPage(["socks4a", port, "alice"], home),
    ],
    [`${label}: udp`, () => askDatagram(port, home)],
    [`${label}: udp, alice`, () => askDatagram(port, home, alice)],
    [`${label}: refused, alice`, () => connect(port, refused, alice)],
    [
      `${label}: wrong password`,
      () => sendRaw(port, Uint8Array.of(5, 1, 2, 1, 1, 97, 1, 97), 4),
    ],
    [
      `${label}: no method in common`,
      () => sendRaw(port, Uint8Array.of(5, 1, 0), 2),
    ],
  ];
}

/** A page from the far end of a tunnel. */
async function fetchDirectly(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/`, {
    headers: { connection: "close" },
  });
  return await response.text();
}

async function reach(port: number): Promise<string> {
  try {
    using _conn = await Deno.connect({ hostname: "127.0.0.1", port });
    return "listens";
  } catch {
    return "refused";
  }
}
