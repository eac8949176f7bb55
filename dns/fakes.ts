/**
 * A resolver without a network, for the tests of every folder. Product code
 * does not import it.
 *
 * @module
 */

import { parseIp } from "../loop/mod.ts";
import {
  type DnsCallback,
  DnsError,
  type ResolveOptions,
  type Resolver,
} from "./types.ts";

/** Answers when the test says so; IP literals at once. */
export class FakeResolver implements Resolver {
  /** Names asked for and not answered yet. */
  readonly asked: {
    readonly hostname: string;
    readonly done: DnsCallback;
    readonly options: ResolveOptions;
  }[] = [];
  /** Names that are answered at once. */
  readonly known = new Map<string, readonly string[]>();
  /** How many callbacks were taken back. */
  removed = 0;

  resolve(
    hostname: string,
    done: DnsCallback,
    options: ResolveOptions = {},
  ): void {
    const literal = parseIp(hostname);
    const known = this.known.get(hostname);
    if (literal !== undefined) {
      done({ hostname, addresses: [literal], error: undefined });
    } else if (known !== undefined) {
      done({
        hostname,
        addresses: known.map((text) => parseIp(text)!),
        error: undefined,
      });
    } else {
      this.asked.push({ hostname, done, options });
    }
  }

  removeCallback(callback: DnsCallback): void {
    const at = this.asked.findIndex(({ done }) => done === callback);
    if (at < 0) return;
    this.asked.splice(at, 1);
    this.removed++;
  }

  /** Answers the oldest question; without addresses: it fails. */
  answer(...addresses: readonly string[]): void {
    const { hostname, done } = this.asked.shift()!;
    done({
      hostname,
      addresses: addresses.map((text) => parseIp(text)!),
      error: addresses.length > 0
        ? undefined
        : new DnsError("not-found", `Cannot resolve ${hostname}: not found`),
    });
  }

  /** Answers the oldest question with one family; the other may follow. */
  answerPartly(...addresses: readonly string[]): void {
    const { hostname, done } = this.asked.shift()!;
    done({
      hostname,
      addresses: addresses.map((text) => parseIp(text)!),
      error: undefined,
      isPartial: true,
    });
  }

  close(): void {}

  /** Does nothing. */
  [Symbol.dispose](): void {}
}
