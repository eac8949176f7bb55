/**
 * The routers of a configuration: its rules, read once, and where they lead.
 *
 * @module
 */

import type {
  Config,
  LocalConfig,
  ServerConfig,
  TextFile,
} from "../config/mod.ts";
import type { Resolver } from "../dns/mod.ts";
import { type Acl, IpNetworks, makeRouter, parseAcl } from "../outbound/mod.ts";
import type { Router } from "../relay/mod.ts";
import type { Outbounds } from "./outbounds.ts";
import { ProcessError } from "./errors.ts";

/** Makes the routers of listeners. */
export class Routing {
  readonly #config: Config;
  readonly #resolver: Resolver;
  readonly #forbidden: IpNetworks;
  /** The rules of each file, by its path. */
  readonly #acls: ReadonlyMap<string, Acl>;

  /**
   * Reads the rules.
   *
   * @param config The configuration, with the text of its ACL files.
   * @param resolver Looks names up where a rule needs an address.
   * @throws {ProcessError} If a rule cannot be read: a line for each.
   */
  constructor(config: Config, resolver: Resolver) {
    this.#config = config;
    this.#resolver = resolver;
    this.#forbidden = IpNetworks.of(config.forbiddenIp);
    const { acls, problems } = readAcls(config);
    if (problems.length > 0) throw new ProcessError(problems.join("\n"));
    this.#acls = acls;
  }

  /**
   * Makes the router of a local listener.
   *
   * @param local The listener.
   * @param outbounds Where rules lead.
   */
  forLocal(local: LocalConfig, outbounds: Outbounds): Router {
    const { acl, defaultOutbound } = this.#config;
    return makeRouter({
      role: "client",
      routes: {
        default: outbounds.route(local.outbound ?? defaultOutbound),
        direct: outbounds.route("direct"),
      },
      acl: this.#aclOf(local.acl ?? acl),
      forbidden: this.#forbidden,
      resolver: this.#resolver,
    });
  }

  /**
   * Makes the router of a server's port.
   *
   * @param server The port.
   * @param outbounds Where rules lead.
   */
  forServer(server: ServerConfig, outbounds: Outbounds): Router {
    const direct = outbounds.routeOfServer(server);
    return makeRouter({
      role: "server",
      routes: { default: direct, direct },
      acl: this.#aclOf(server.acl ?? this.#config.acl),
      forbidden: this.#forbidden,
      resolver: this.#resolver,
    });
  }

  #aclOf(file: TextFile | undefined): Acl | undefined {
    return file === undefined ? undefined : this.#acls.get(file.path);
  }
}

/**
 * Tells what is wrong with the ACL files of a configuration.
 *
 * @param config The configuration, with the texts of the files.
 * @returns A line for each rule that cannot be read, with its place.
 */
export function aclProblems(config: Config): readonly string[] {
  return readAcls(config).problems;
}

/**
 * Reads all ACL files of a configuration.
 *
 * @param config The configuration, with the texts of the files.
 * @returns The rules by path, and a line for each rule that cannot be read.
 */
function readAcls(
  config: Config,
): {
  readonly acls: ReadonlyMap<string, Acl>;
  readonly problems: readonly string[];
} {
  const acls = new Map<string, Acl>();
  const problems: string[] = [];
  const files = [
    config.acl,
    ...config.locals.map(({ acl }) => acl),
    ...config.servers.map(({ acl }) => acl),
  ];
  const seen = new Set<string>();
  for (const file of files) {
    if (file === undefined || seen.has(file.path)) continue;
    seen.add(file.path);
    const reading = parseAcl(file.text, file.path);
    if ("acl" in reading) acls.set(file.path, reading.acl);
    else {
      for (const { line, column, message } of reading.problems) {
        problems.push(`${file.path}:${line}:${column}: ${message}`);
      }
    }
  }
  return { acls, problems };
}
