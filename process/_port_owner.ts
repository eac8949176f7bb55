/**
 * Who has a port, where Linux tells.
 *
 * @module
 */

/** A process. */
export interface PortOwner {
  /** The name of its program. */
  readonly name: string;
  /** Its number. */
  readonly pid: number;
}

/** The states of a socket that has a port for itself: TCP_LISTEN; any of UDP. */
const STATES = { tcp: /^0A$/, udp: /^/ } as const;

/**
 * Finds the process that listens on a port. Of other users' processes only
 * root is told.
 *
 * @param port The port.
 * @param network Of which network.
 * @returns The process; undefined: it is not known.
 */
export async function portOwner(
  port: number,
  network: "tcp" | "udp",
): Promise<PortOwner | undefined> {
  try {
    const inodes = await inodesOf(port, network);
    if (inodes.size === 0) return undefined;
    for await (const { name } of Deno.readDir("/proc")) {
      if (!/^\d+$/.test(name) || !await hasOne(name, inodes)) continue;
      const program = await Deno.readTextFile(`/proc/${name}/comm`);
      return { name: program.trim(), pid: Number(name) };
    }
  } catch {
    // There is no /proc, or it does not tell.
  }
  return undefined;
}

/** The sockets at a port, in the form of links: `socket:[1234]`. */
async function inodesOf(
  port: number,
  network: "tcp" | "udp",
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const family of ["", "6"]) {
    const text = await Deno.readTextFile(`/proc/net/${network}${family}`)
      .catch(() => "");
    for (const line of text.split("\n").slice(1)) {
      // proc(5): sl local_address rem_address st queues timer retrnsmt uid
      // timeout inode
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (local === undefined || state === undefined) continue;
      const isPort = Number.parseInt(local.split(":")[1] ?? "", 16) === port;
      if (isPort && STATES[network].test(state)) found.add(`socket:[${inode}]`);
    }
  }
  return found;
}

async function hasOne(
  pid: string,
  inodes: ReadonlySet<string>,
): Promise<boolean> {
  try {
    for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
      const link = await Deno.readLink(`/proc/${pid}/fd/${name}`)
        .catch(() => "");
      if (inodes.has(link)) return true;
    }
  } catch {
    // It is another user's, or has ended.
  }
  return false;
}
