/**
 * Ports of this machine.
 *
 * @module
 */

/**
 * Finds a port that nobody listens on, for programs that cannot be given 0.
 *
 * @returns A port that was free for TCP and UDP a moment ago.
 */
export function freePort(): number {
  for (;;) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    try {
      Deno.listenDatagram({
        transport: "udp",
        hostname: "127.0.0.1",
        port,
      }).close();
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
    // The listener was closed with this connection in its queue.
    if (error instanceof Deno.errors.ConnectionReset) return true;
    throw error;
  }
}
