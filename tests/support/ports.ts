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

/**
 * Finds a port that nobody listens on, for programs that cannot be given 0.
 *
 * @returns A port that was free for TCP and UDP a moment ago.
 */
export function freePort(): number {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    const address = { hostname: "127.0.0.1", port };
    try {
      using _listener = Deno.listen(address);
      Deno.listenDatagram({ transport: "udp", ...address }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
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
