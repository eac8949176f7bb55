/**
 * Who makes the two sides of a pair, the tunnel and the relay of the 2022
 * edition: we, shadowsocks-rust or sing-box.
 *
 * @module
 */

import {
  ChildProgram,
  freePort,
  spawnRole,
  TempFolder,
} from "../support/mod.ts";
import { startSingBox } from "./_sing_box.ts";

/** Something that listens. */
export interface Side extends AsyncDisposable {
  readonly port: number;
}

/** How a server is started. */
export interface ServerSetup {
  readonly method: string;
  /** Its key, or its identity key. */
  readonly password: string;
  /** Its users; empty: there are none. */
  readonly users: readonly {
    readonly name: string;
    readonly password: string;
  }[];
  /** Where it listens. Default: at a free port. */
  readonly port?: number;
}

/** How a client is started. */
export interface ClientSetup {
  readonly method: string;
  /** `iPSK:…:uPSK`. */
  readonly password: string;
  readonly serverPort: number;
}

/** How a tunnel is started. */
export interface TunnelSetup extends ClientSetup {
  /** The port on 127.0.0.1 that it leads to. */
  readonly targetPort: number;
}

/** How a server is started that passes on to one behind it (SIP023). */
export interface RelaySetup {
  readonly method: string;
  /** Its key. */
  readonly password: string;
  /** The key of the server behind it. */
  readonly behind: string;
  readonly serverPort: number;
}

/** A program that can be either side. */
export interface Maker {
  readonly name: string;
  /** Whether an end in one direction leaves the other one open. */
  readonly halfCloses: boolean;
  server(setup: ServerSetup): Promise<Side>;
  client(setup: ClientSetup): Promise<Side>;
  tunnel(setup: TunnelSetup): Promise<Side>;
  /** Absent: it cannot be one. */
  relay?(setup: RelaySetup): Promise<Side>;
}

/**
 * Our programs.
 *
 * @param event_loop How they wait.
 * @returns What makes them.
 */
export function ours(event_loop: string): Maker {
  return {
    name: `ours over ${event_loop}`,
    halfCloses: true,
    server: ({ method, password, users, port = 0 }) =>
      spawnRole("ssserver", {
        config: {
          ...{ server: "127.0.0.1", server_port: port, method, password },
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
    tunnel: async ({ method, password, serverPort, targetPort }) => {
      const port = freePort();
      const process = await spawnRole("sstunnel", {
        config: {
          ...{ server: "127.0.0.1", server_port: serverPort },
          ...{ local_address: "127.0.0.1", tunnel_port: port },
          ...{ tunnel_remote: "127.0.0.1", tunnel_remote_port: targetPort },
          ...{ method, password, event_loop },
        },
      });
      return {
        port,
        [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
      };
    },
    relay: ({ method, password, behind, serverPort }) =>
      spawnRole("ssserver", {
        config: {
          ...{ server: "127.0.0.1", server_port: 0, method, password },
          users: [{
            ...{ name: "behind", password: behind },
            ...{ server: "127.0.0.1", server_port: serverPort },
          }],
          ...{ forbidden_ip: "", event_loop },
        },
      }),
  };
}

/**
 * Rust's programs.
 *
 * @param folder Where they are, with a slash behind.
 * @returns What makes them.
 */
export function rust(folder: string): Maker {
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
    server: ({ method, password, users, port = freePort() }) => {
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
    tunnel: ({ method, password, serverPort, targetPort }) => {
      const port = freePort();
      return start("sslocal", port, {
        ...{ server: "127.0.0.1", server_port: serverPort, method, password },
        locals: [{
          ...{ protocol: "tunnel", mode: "tcp_and_udp" },
          ...{ local_address: "127.0.0.1", local_port: port },
          ...{ forward_address: "127.0.0.1", forward_port: targetPort },
        }],
      });
    },
  };
}

/**
 * sing-box.
 *
 * @param file The program.
 * @returns What makes it.
 */
export function singBox(file: string): Maker {
  return {
    name: "sing-box",
    halfCloses: false,
    server: ({ method, password, users, port }) =>
      startSingBox(
        file,
        {
          ...{ type: "shadowsocks", method, password },
          ...users.length > 0 && { users },
        },
        undefined,
        port,
      ),
    client: ({ method, password, serverPort }) =>
      startSingBox(file, { type: "mixed" }, {
        ...{ type: "shadowsocks", method, password },
        ...{ server: "127.0.0.1", server_port: serverPort },
      }),
    tunnel: ({ method, password, serverPort, targetPort }) =>
      startSingBox(file, {
        ...{ type: "direct", override_address: "127.0.0.1" },
        override_port: targetPort,
      }, {
        ...{ type: "shadowsocks", method, password },
        ...{ server: "127.0.0.1", server_port: serverPort },
      }),
    relay: ({ method, password, behind, serverPort }) =>
      startSingBox(file, {
        ...{ type: "shadowsocks", method, password },
        destinations: [{
          ...{ name: "far", password: behind },
          ...{ server: "127.0.0.1", server_port: serverPort },
        }],
      }),
  };
}
