/**
 * The processes of a benchmark: started, waited for, measured, ended by pid.
 *
 * @module
 */

/** Milliseconds until a program must listen; a first start compiles its code. */
const START_TIMEOUT = 15_000;
/** Milliseconds until a program must have ended by itself. */
const END_TIMEOUT = 2000;
/** Ticks of `/proc/PID/stat` in a second; the same on every Linux. */
const TICKS = 100;

/** A program that runs. */
export class BenchProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  #ended = false;

  /**
   * Starts a program.
   *
   * @param command The program and its arguments.
   */
  constructor(command: readonly string[]) {
    this.#child = new Deno.Command(command[0]!, {
      args: command.slice(1),
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#child.status.then(() => this.#ended = true);
  }

  /**
   * Waits until it listens.
   *
   * @param port Where, on 127.0.0.1.
   * @throws {Error} If it ends instead, or takes too long.
   */
  async listening(port: number): Promise<void> {
    const end = performance.now() + START_TIMEOUT;
    while (performance.now() < end && !this.#ended) {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port })).close();
        return;
      } catch (error) {
        if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
        await delay(20);
      }
    }
    const reason = this.#ended ? "it has ended" : "it does not listen";
    throw new Error(`Cannot start a program: ${reason}`);
  }

  /** Seconds of user and system time so far; undefined but on Linux. */
  async cpu(): Promise<number | undefined> {
    const text = await readProc(this.#child.pid, "stat");
    // The name of the program, in parentheses, may hold anything.
    const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields && (Number(fields[11]) + Number(fields[12])) / TICKS;
  }

  /** KiB of resident memory; undefined but on Linux. */
  async resident(): Promise<number | undefined> {
    const text = await readProc(this.#child.pid, "status");
    const match = text && /^VmRSS:\s+(\d+) kB$/m.exec(text);
    return match ? Number(match[1]) : undefined;
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(() => this.#kill("SIGKILL"), END_TIMEOUT);
    this.#kill("SIGTERM");
    await this.#child.status;
    clearTimeout(timer);
  }

  #kill(signal: Deno.Signal): void {
    try {
      if (!this.#ended) this.#child.kill(signal);
    } catch (error) {
      // The program has ended this very moment.
      if (!(error instanceof TypeError)) throw error;
    }
  }
}

/**
 * Finds a TCP port that nobody uses now.
 *
 * @returns The port.
 */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

/**
 * Waits.
 *
 * @param milliseconds How long.
 */
export async function delay(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function readProc(
  pid: number,
  name: string,
): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  return await Deno.readTextFile(`/proc/${pid}/${name}`);
}
