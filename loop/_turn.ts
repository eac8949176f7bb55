/**
 * Turns of Deno's own loop, which serves signals, Workers and its timers.
 *
 * An asynchronous call, even one that ends at once, is what most often makes
 * Deno look at its system's events. It does so before it sleeps; if the call
 * ends before that, as it may where threads share a core, Deno goes on without
 * a look. Whether it looked is known by one of its timers, set beside: if that
 * did not ring by the next turn, Deno is made to sleep for it, a millisecond.
 *
 * @module
 */

/** Watches whether Deno's own loop keeps up. */
export class DenoTurns implements Disposable {
  #sentinel: ReturnType<typeof setTimeout> | undefined;

  /**
   * Gives Deno's own loop a turn.
   *
   * @param call An asynchronous call, as short as can be.
   * @returns What the call gave.
   */
  async take<T>(call: () => Promise<T>): Promise<T> {
    if (this.#sentinel === undefined) {
      this.#sentinel = setTimeout(() => this.#sentinel = undefined, 0);
    } else {
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
    }
    return await call();
  }

  /** Leaves no timer behind. */
  [Symbol.dispose](): void {
    clearTimeout(this.#sentinel);
    this.#sentinel = undefined;
  }
}
