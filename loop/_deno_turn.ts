/**
 * Turns of Deno's own loop, which serves signals, Workers, timers and, with
 * the `deno` poller, every socket.
 *
 * Deno asks the system for events when no JavaScript is left to run, else only
 * now and then: neither a microtask nor an immediate makes it ask. So a
 * connection of the process to itself carries a byte for each turn. The byte
 * arrives through the system's events, and every event that waited arrives with
 * it: a turn takes 5 µs. To wait for another thread instead takes 18 to 50 µs,
 * and milliseconds where all cores are busy; and if that thread is done too
 * soon, Deno does not ask at all.
 *
 * @module
 */

/** Both ends of a connection. */
type Ends = readonly [Deno.TcpConn, Deno.TcpConn];

const LOOPBACK = "127.0.0.1";
const BYTE = new Uint8Array(1);

/** Gives turns to Deno's own loop. */
export class DenoTurns implements Disposable {
  /** The connection; undefined: not made yet; null: it cannot be made. */
  #ends: Ends | null | undefined;
  readonly #received = new Uint8Array(1);
  #disposed = false;

  /**
   * Gives Deno's own loop one turn in which it asks the system for events.
   *
   * @returns Settles when it has.
   */
  async take(): Promise<void> {
    if (this.#ends === undefined) await this.#connect();
    if (this.#ends && await this.#ring(this.#ends)) return;
    // Without the connection a timer has to do: Deno asks the system for events
    // while it sleeps, which is for a millisecond at least.
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#close();
  }

  #close(): void {
    this.#ends?.forEach((end) => end.close());
    this.#ends = null;
  }

  async #ring([from, to]: Ends): Promise<boolean> {
    try {
      // Both at once, so that neither is left to fail unheard.
      const [count] = await Promise.all([
        to.read(this.#received),
        from.write(BYTE),
      ]);
      if (count === 1) return true;
    } catch {
      // Closed while the byte was under way, or the system took it away.
    }
    this.#close();
    return false;
  }

  async #connect(): Promise<void> {
    this.#ends = null;
    let ends: Ends | undefined;
    try {
      ends = await connectToSelf();
    } catch {
      return;
    }
    if (ends === undefined) return;
    if (this.#disposed) ends.forEach((end) => end.close());
    else this.#ends = ends;
  }
}

/** @returns Both ends; undefined if it is not allowed, or a stranger came. */
async function connectToSelf(): Promise<Ends | undefined> {
  // Nobody is asked for permission in the middle of the work.
  const { state } = Deno.permissions.querySync({ name: "net" });
  if (state !== "granted") return undefined;
  const listener = Deno.listen({ hostname: LOOPBACK, port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  let near: Deno.TcpConn | undefined;
  let far: Deno.TcpConn | undefined;
  try {
    // Without a connection, such as when one descriptor was left, nobody would
    // come, and waiting for somebody would never end.
    near = await Deno.connect({ hostname: LOOPBACK, port });
    far = await listener.accept();
  } catch {
    // What there is of the two is closed below.
  } finally {
    listener.close();
  }
  if (near !== undefined && far !== undefined) {
    const { port: own } = near.localAddr as Deno.NetAddr;
    if ((far.remoteAddr as Deno.NetAddr).port === own) return [near, far];
  }
  near?.close();
  far?.close();
  return undefined;
}
