/**
 * A program under test as a child process with its output collected.
 *
 * @module
 */

import { withTimeout } from "./timeout.ts";

/** Someone who waits for a text. */
interface Waiter {
  readonly pattern: RegExp;
  readonly resolve: (match: RegExpExecArray) => void;
  readonly reject: (error: Error) => void;
}

/** How to start a {@linkcode ChildProgram}. */
export interface ChildOptions {
  /** Arguments after the program. */
  readonly args: readonly string[];
  /** The folder to start in. */
  readonly cwd?: string;
  /** Variables for the child. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the child sees `env` alone. */
  readonly clearEnv?: boolean;
}

/** A running program; disposing of it stops it. */
export class ChildProgram implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<Deno.CommandStatus>;
  readonly #waiters = new Set<Waiter>();
  #output = "";
  #running = true;

  /**
   * Starts the program.
   *
   * @param program Its file.
   * @param options Its arguments and surroundings.
   */
  constructor(program: string, options: ChildOptions) {
    this.#child = new Deno.Command(program, {
      ...options,
      args: [...options.args],
      env: { ...options.env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#ended = this.#collect();
  }

  /** The process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** What it has written so far to both its outputs. */
  get output(): string {
    return this.#output;
  }

  /** The lines it has written so far, without empty ones. */
  get lines(): string[] {
    return this.#output.split("\n").filter((line) => line.trim() !== "");
  }

  /** Settles at the program's exit, after all its output was read. */
  get ended(): Promise<Deno.CommandStatus> {
    return this.#ended;
  }

  /**
   * Waits until its output has a match.
   *
   * @param pattern What to look for, from the start of the output on.
   * @returns The first match.
   * @throws {Error} If it ends without.
   */
  waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    const match = pattern.exec(this.#output);
    if (match !== null) return Promise.resolve(match);
    const { promise, resolve, reject } = Promise.withResolvers<
      RegExpExecArray
    >();
    const waiter: Waiter = { pattern, resolve, reject };
    if (this.#running) this.#waiters.add(waiter);
    else this.#abandon(waiter);
    return withTimeout(promise, `${pattern}`).catch((error: Error) => {
      this.#waiters.delete(waiter);
      throw new Error(`${error.message}; output:\n${this.#output}`);
    });
  }

  /**
   * Asks it to end and waits for that.
   *
   * @param signal Default SIGTERM.
   * @returns How it ended.
   */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<Deno.CommandStatus> {
    if (this.#running) this.kill(signal);
    return await withTimeout(this.#ended, `the end of process ${this.pid}`);
  }

  /**
   * Sends a signal.
   *
   * @param signal Which.
   */
  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Ends it at once if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#running) this.kill("SIGKILL");
    await this.#ended;
  }

  async #collect(): Promise<Deno.CommandStatus> {
    const [status] = await Promise.all([
      this.#child.status.then((status) => {
        this.#running = false;
        return status;
      }),
      this.#read(this.#child.stdout),
      this.#read(this.#child.stderr),
    ]);
    for (const waiter of this.#waiters) this.#abandon(waiter);
    this.#waiters.clear();
    return status;
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.#output += text;
      for (const waiter of this.#waiters) {
        const match = waiter.pattern.exec(this.#output);
        if (match === null) continue;
        this.#waiters.delete(waiter);
        waiter.resolve(match);
      }
    }
  }

  #abandon(waiter: Waiter): void {
    waiter.reject(
      new Error(`Cannot find ${waiter.pattern}: process ${this.pid} ended`),
    );
  }
}
