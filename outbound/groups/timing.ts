/**
 * What of the event loop those need who only wait.
 *
 * @module
 */

/** Time and timers; an `EventLoop` is one. */
export interface Timing {
  /** Seconds of a monotonic clock. */
  time(): number;
  /**
   * Calls `callback` once.
   *
   * @param milliseconds From now.
   * @param callback Called unless the timer is cancelled before.
   */
  addTimer(
    milliseconds: number,
    callback: () => void,
  ): { cancel(): void };
}
