/**
 * Ports of this machine.
 *
 * @module
 */

/**
 * The first port to try. All {@linkcode PORTS} of them are below what systems
 * choose for sockets bound to port 0 (from 32,768 on Linux, from 49,152
 * elsewhere), so that no such socket takes the port before the program does.
 */
const FIRST_PORT = 16_384;
const PORTS = 16_384;
/** Ports that this file of tests has been given: none is given twice. */
const given = new Set<number>();

/** The lines of a system's table of sockets: the port of each local address. */
const LOCAL_PORT = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) /gm;

/**
 * Finds a port that nobody listens on, for programs that cannot be given 0.
 *
 * @returns A port that was free for TCP and UDP a moment ago.
 */
export function freePort(): number {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    if (given.has(port) || !isFree(port)) continue;
    given.add(port);
    return port;
  }
}

/**
 * Whether a port is free. Where the system tells, it is not tried: when a
 * process is just being started, by another file of tests, it has the sockets
 * of the trial for a moment, and the port stays taken after they are closed.
 */
function isFree(port: number): boolean {
  if (Deno.build.os === "linux") return !takenPorts().has(port);
  const address = { hostname: "127.0.0.1", port };
  try {
    using _listener = Deno.listen(address);
    Deno.listenDatagram({ transport: "udp", ...address }).close();
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    return false;
  }
}

/** The ports of all sockets, on whatever address they are (Linux). */
function takenPorts(): ReadonlySet<number> {
  const ports = new Set<number>();
  for (const table of ["tcp", "tcp6", "udp", "udp6"]) {
    let text: string;
    try {
      text = Deno.readTextFileSync(`/proc/net/${table}`);
    } catch (error) {
      // The system has no such family.
      if (error instanceof Deno.errors.NotFound) continue;
      throw error;
    }
    for (const [, port] of text.matchAll(LOCAL_PORT)) {
      ports.add(parseInt(port!, 16));
    }
  }
  return ports;
}

/**
 * Tells whether somebody accepts connections.
 *
 * @param port A port of 127.0.0.1.
 * @returns False if the connection is refused.
 */
export async function isListening(port: number): Promise<boolean> {
  try {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    // The listener was closed with this connection in its queue; Deno may
    // notice when it asks for the address of the other end.
    if (error instanceof Deno.errors.ConnectionReset) return true;
    if (error instanceof Deno.errors.NotConnected) return true;
    throw error;
  }
}
