/**
 * A program under test as a child process with its output collected.
 *
 * @module
 */

import { withTimeout } from "./timeout.ts";

/** Someone who waits for something in the output. */
interface Waiter {
  readonly what: string;
  /** Looks at the output; true: it was there, and was taken. */
  readonly check: (output: string) => boolean;
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
  /** Settles when its output is read on. */
  #reading: PromiseWithResolvers<void> | undefined;

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

  /** Settles at the program's exit, whether its output was read or not. */
  get exited(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  /**
   * Waits until its output has a match.
   *
   * @param pattern What to look for, from the start of the output on.
   * @returns The first match.
   * @throws {Error} If it ends without.
   */
  waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    return this.waitUntil(
      `${pattern}`,
      (output) => pattern.exec(output) ?? undefined,
    );
  }

  /**
   * Waits until its output has what a function looks for.
   *
   * @param what Names it in an error.
   * @param find Looks for it in the whole output; undefined: not yet.
   * @returns What was found.
   * @throws {Error} If it ends without.
   */
  waitUntil<T>(
    what: string,
    find: (output: string) => T | undefined,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const check = (output: string): boolean => {
      const found = find(output);
      if (found === undefined) return false;
      resolve(found);
      return true;
    };
    if (check(this.#output)) return promise;
    const waiter: Waiter = { what, check, reject };
    if (this.#running) this.#waiters.add(waiter);
    else this.#abandon(waiter);
    return withTimeout(promise, what).catch((error: Error) => {
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

  /** Reads its output no more, so that its pipes fill up. */
  pause(): void {
    this.#reading ??= Promise.withResolvers();
  }

  /** Reads its output on. */
  resume(): void {
    this.#reading?.resolve();
    this.#reading = undefined;
  }

  /** Ends it at once if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#running) this.kill("SIGKILL");
    this.resume();
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
      await this.#reading?.promise;
      this.#output += text;
      for (const waiter of this.#waiters) {
        if (waiter.check(this.#output)) this.#waiters.delete(waiter);
      }
    }
  }

  #abandon(waiter: Waiter): void {
    waiter.reject(
      new Error(`Cannot find ${waiter.what}: process ${this.pid} ended`),
    );
  }
}
