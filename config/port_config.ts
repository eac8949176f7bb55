/**
 * The configuration of one port that a manager adds: the entries of the
 * command over the configuration of the process.
 *
 * @module
 */

import { Draft } from "./_draft.ts";
import { ConfigSyntaxError } from "./_place.ts";
import { weakPassword } from "./_rules.ts";
import { applyText } from "./_text.ts";
import { issue, type Notice } from "./notice.ts";
import type { Config } from "./types.ts";

/** The configuration of a port, or why there is none. */
export type PortConfigResult =
  | {
    readonly kind: "config";
    readonly config: Config;
    readonly warnings: readonly Notice[];
  }
  | { readonly kind: "error"; readonly messages: readonly Notice[] };

/** What messages call the command. */
const COMMAND = "add";

/**
 * Makes the configuration of one port. Keys that belong to the process, and
 * keys that nobody knows, are not taken, with a warning.
 *
 * @param base The configuration of the process.
 * @param entries `server_port` and other keys, as a JSON text or as values.
 * @returns The configuration: one port, its password, and no manager.
 */
export function configForPort(
  base: Config,
  entries: string | Readonly<Record<string, unknown>>,
): PortConfigResult {
  const draft = new Draft();
  try {
    if (typeof entries === "string") {
      applyText(draft, {
        path: `${COMMAND}.json`,
        text: entries,
        strict: false,
        forPort: true,
      });
    } else {
      draft.applyEntries(
        entries,
        (key) => ({ name: `"${key}"`, place: () => "", style: {} }),
        { strict: false, forPort: true },
      );
    }
  } catch (error) {
    if (!(error instanceof ConfigSyntaxError)) throw error;
    return { kind: "error", messages: [issue(error.message)] };
  }
  const { settings, issues, refused } = draft;
  const ports = settings.serverPort;
  const isOnePort = ports?.length === 1 && ports[0] !== 0;
  if (!isOnePort && !refused.has("serverPort")) {
    issues.push(
      issue(`Cannot ${COMMAND} port: expected one server_port`),
    );
  }
  const password = settings.password ?? base.password;
  if (password === "" && !refused.has("password")) {
    issues.push(issue(`Cannot ${COMMAND} port: password not specified`));
  }
  if (issues.length > 0) {
    return {
      kind: "error",
      messages: issues.map((each) => ({ ...each, style: "log" })),
    };
  }
  const method = settings.method ?? base.method;
  const weak = weakPassword(password, method);
  // The manager is the one of the process.
  const { managerPort: _, ...own } = settings;
  return {
    kind: "config",
    config: {
      ...base,
      ...own,
      role: "ssserver",
      password,
      method,
      portPassword: undefined,
      managerAddress: undefined,
    },
    warnings: weak === undefined ? draft.warnings : [...draft.warnings, weak],
  };
}
