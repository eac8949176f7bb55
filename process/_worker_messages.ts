/**
 * What the main thread and its workers tell each other.
 *
 * @module
 */

import type { Config, HostPort } from "../config/mod.ts";
import type { SaltTable } from "./salts/mod.ts";

/** To a worker. */
export type WorkerCommand =
  | {
    /** Listen; the first message. */
    readonly kind: "start";
    readonly config: Config;
    /** Where the first worker listens; absent for the first itself. */
    readonly listening: readonly HostPort[] | undefined;
    /** Where salts are remembered; absent: in each worker. */
    readonly salts: SaltTable | undefined;
    /** Descriptors that its sockets may have; absent: nobody knows. */
    readonly descriptors: number | undefined;
  }
  | { readonly kind: "serve" | "drain" | "terminate" };

/** From a worker. */
export type WorkerReport =
  | { readonly kind: "log"; readonly text: string }
  | { readonly kind: "listening"; readonly listening: readonly HostPort[] }
  /** A line of the access log. */
  | { readonly kind: "access"; readonly text: string }
  | { readonly kind: "failed"; readonly reason: string }
  /** It listens no more; it has ended. */
  | { readonly kind: "closed" | "ended" };
