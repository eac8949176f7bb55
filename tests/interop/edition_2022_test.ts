/**
 * The 2022 edition beside shadowsocks-rust and sing-box, both ways round: every
 * method, TCP and UDP, with users (SIP023), and through a relay that strips an
 * identity header. `SS_RUST` names rust's sslocal, `SS_SING_BOX` sing-box, where
 * they are not on PATH.
 *
 * @module
 */

import {
  ChildProgram,
  echoDatagrams,
  echoFile,
  echoPieces,
  freePort,
  halfCloseByClient,
  halfCloseByTarget,
  seededBytes,
  serverFirst,
  spawnRole,
  TempFolder,
} from "../support/mod.ts";
import { findRust } from "./_rust.ts";
import { findSingBox, startSingBox } from "./_sing_box.ts";

/** Something that listens. */
interface Side extends AsyncDisposable {
  readonly port: number;
}

/** How a server is started. */
interface ServerSetup {
  readonly method: string;
  /** Its key, or its identity key. */
  readonly password: string;
  /** Its users; empty: there are none. */
  readonly users: readonly {
    readonly name: string;
    readonly password: string;
  }[];
}

/** How a client is started. */
interface ClientSetup {
  readonly method: string;
  /** `iPSK:…:uPSK`. */
  readonly password: string;
  readonly serverPort: number;
}

/** A program that can be either side. */
interface Maker {
  readonly name: string;
  /** Whether an end in one direction leaves the other one open. */
  readonly halfCloses: boolean;
  server(setup: ServerSetup): Promise<Side>;
  client(setup: ClientSetup): Promise<Side>;
}

const FILE = 2 * 1024 * 1024;
const EDGES = [1, 2, 1459, 1460, 16_383, 16_384, 32_768, 65_535, 65_536];
const DATAGRAMS = [1, 2, 100, 512, 1200, 1392];
const METHODS: readonly (readonly [name: string, keyLength: number])[] = [
  ["2022-blake3-aes-128-gcm", 16],
  ["2022-blake3-aes-256-gcm", 32],
  ["2022-blake3-chacha20-poly1305", 32],
];

/** A key, the same in every run. */
function key(length: number, seed: number): string {
  return seededBytes(length, seed).toBase64();
}

/** Everything that all of the makers on the way can do. */
async function exercise(
  port: number,
  ...makers: readonly Maker[]
): Promise<void> {
  await echoPieces(port, EDGES);
  await echoFile(port, FILE);
  if (makers.every(({ halfCloses }) => halfCloses)) {
    await halfCloseByClient(port);
    await halfCloseByTarget(port);
  }
  await serverFirst(port);
  await echoDatagrams(port, DATAGRAMS);
}

function ours(event_loop: string): Maker {
  return {
    name: `ours over ${event_loop}`,
    halfCloses: true,
    server: ({ method, password, users }) =>
      spawnRole("ssserver", {
        config: {
          ...{ server: "127.0.0.1", server_port: 0, method, password },
          ...users.length > 0 && { users },
          ...{ forbidden_ip: "", event_loop },
        },
      }),
    client: ({ method, password, serverPort }) =>
      spawnRole("sslocal", {
        config: {
          ...{ server: "127.0.0.1", server_port: serverPort },
          ...{ local_address: "127.0.0.1", local_port: 0 },
          ...{ method, password, event_loop },
        },
      }),
  };
}

/** Rust's programs in one folder. */
function rust(folder: string): Maker {
  const start = async (
    role: string,
    port: number,
    config: Readonly<Record<string, unknown>>,
  ): Promise<Side> => {
    const place = new TempFolder();
    const path = place.file("config.json");
    const whole = { mode: "tcp_and_udp", ...config };
    await Deno.writeTextFile(path, JSON.stringify(whole));
    const args = ["-c", path];
    const program = new ChildProgram(`${folder}${role}`, { args });
    const end = async (): Promise<void> => {
      await program[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    };
    try {
      await program.waitFor(/(?:listening on [\d.]+:\d+[^]*){2}/);
    } catch (error) {
      await end();
      throw error;
    }
    return { port, [Symbol.asyncDispose]: end };
  };
  return {
    name: "shadowsocks-rust",
    halfCloses: true,
    server: ({ method, password, users }) => {
      const port = freePort();
      const own = users.length > 0 ? { users } : {};
      const server = { server: "127.0.0.1", server_port: port };
      // Outside of `servers` it has no users.
      return start("ssserver", port, {
        servers: [{ ...server, method, password, ...own }],
      });
    },
    client: ({ method, password, serverPort }) => {
      const port = freePort();
      return start("sslocal", port, {
        ...{ server: "127.0.0.1", server_port: serverPort, method, password },
        ...{ local_address: "127.0.0.1", local_port: port },
      });
    },
  };
}

function singBox(file: string): Maker {
  return {
    name: "sing-box",
    halfCloses: false,
    server: ({ method, password, users }) =>
      startSingBox(file, {
        ...{ type: "shadowsocks", method, password },
        ...users.length > 0 && { users },
      }),
    client: ({ method, password, serverPort }) =>
      startSingBox(file, { type: "mixed" }, {
        ...{ type: "shadowsocks", method, password },
        ...{ server: "127.0.0.1", server_port: serverPort },
      }),
  };
}

const POLLERS = Deno.build.os === "linux" ? ["epoll", "deno"] : ["deno"];
const rustFolder = findRust();
const singBoxFile = findSingBox();
const peers = [
  ...rustFolder === undefined ? [] : [rust(rustFolder)],
  ...singBoxFile === undefined ? [] : [singBox(singBoxFile)],
];

function pairTest(
  client: Maker,
  server: Maker,
  [method, length]: readonly [string, number],
): void {
  Deno.test(`sslocal of ${client.name} and ssserver of ${server.name} relay with ${method}`, async () => {
    const password = key(length, 1);
    await using far = await server.server({ method, password, users: [] });
    const serverPort = far.port;
    await using near = await client.client({ method, password, serverPort });
    await exercise(near.port, client, server);
  });
  if (!method.includes("aes")) return;
  Deno.test(`sslocal of ${client.name} and ssserver of ${server.name} relay for two users with ${method}`, async () => {
    const password = key(length, 1);
    const users = ["alice", "bob"].map((name, i) => ({
      name,
      password: key(length, 10 + i),
    }));
    await using far = await server.server({ method, password, users });
    for (const user of users) {
      await using near = await client.client({
        method,
        password: `${password}:${user.password}`,
        serverPort: far.port,
      });
      await exercise(near.port, client, server);
    }
  });
}

for (const peer of peers) {
  for (const poller of POLLERS) {
    for (const method of METHODS) {
      pairTest(ours(poller), peer, method);
      pairTest(peer, ours(poller), method);
    }
  }
}

/** The client has an identity header more than the server reads. */
function relayTest(file: string, client: Maker, server: Maker): void {
  Deno.test(`sslocal of ${client.name} reaches ssserver of ${server.name} through a relay of sing-box`, async () => {
    const [method, length] = METHODS[0]!;
    const [outer, inner, user] = [1, 2, 3].map((seed) => key(length, seed));
    const users = [{ name: "alice", password: user! }];
    await using far = await server.server({ method, password: inner!, users });
    await using relay = await startSingBox(file, {
      ...{ type: "shadowsocks", method, password: outer },
      destinations: [{
        ...{ name: "far", password: inner },
        ...{ server: "127.0.0.1", server_port: far.port },
      }],
    });
    await using near = await client.client({
      method,
      password: `${outer}:${inner}:${user}`,
      serverPort: relay.port,
    });
    await exercise(near.port, client, server, singBox(file));
  });
}

if (singBoxFile !== undefined) {
  relayTest(singBoxFile, ours(POLLERS[0]!), ours(POLLERS[0]!));
  for (const peer of peers) relayTest(singBoxFile, ours(POLLERS[0]!), peer);
}
