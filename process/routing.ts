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
import type { Acl } from "../outbound/acl/mod.ts";
import {
  ForbiddenNetworks,
  makeRouter,
  OwnAddresses,
} from "../outbound/basic.ts";
import type { Route, Router } from "../relay/mod.ts";
import { AclFiles } from "./acl_files.ts";
import type { Outbounds } from "./outbounds.ts";
import { ProcessError } from "./errors.ts";

/** Makes the routers of listeners. */
export class Routing {
  readonly #config: Config;
  readonly #resolver: Resolver;
  readonly #forbidden: ForbiddenNetworks;
  /** Read once for all ports. */
  readonly #own = new OwnAddresses();
  /** The rules of each file, by its path. */
  readonly #acls: ReadonlyMap<string, Acl>;

  /**
   * Keeps the rules; {@linkcode Routing.create} reads them.
   *
   * @param config The configuration.
   * @param resolver Looks names up where a rule needs an address.
   * @param acls The rules of each ACL file, by its path.
   */
  constructor(
    config: Config,
    resolver: Resolver,
    acls: ReadonlyMap<string, Acl>,
  ) {
    this.#config = config;
    this.#resolver = resolver;
    this.#forbidden = ForbiddenNetworks.of(config.forbiddenIp, this.#own);
    this.#acls = acls;
  }

  /**
   * Reads the rules of a configuration.
   *
   * @param config The configuration, with the text of its ACL files.
   * @param resolver Looks names up where a rule needs an address.
   * @param files Reads the rules, or has read them already.
   * @returns What makes the routers.
   * @throws {ProcessError} If a rule cannot be read: a line for each.
   */
  static async create(
    config: Config,
    resolver: Resolver,
    files: AclFiles = new AclFiles(),
  ): Promise<Routing> {
    return new Routing(config, resolver, await readAcls(config, files));
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
   * @param route The way to the targets of its clients.
   * @param forbidden Networks that its clients may not reach.
   */
  forServer(
    server: ServerConfig,
    route: Route,
    forbidden: readonly string[],
  ): Router {
    return makeRouter({
      role: "server",
      routes: { default: route, direct: route },
      acl: this.#aclOf(server.acl ?? this.#config.acl),
      forbidden: forbidden === this.#config.forbiddenIp
        ? this.#forbidden
        : ForbiddenNetworks.of(forbidden, this.#own),
      resolver: this.#resolver,
    });
  }

  #aclOf(file: TextFile | undefined): Acl | undefined {
    return file === undefined ? undefined : this.#acls.get(file.path);
  }
}

/**
 * Reads all ACL files of a configuration.
 *
 * @returns The rules by path.
 * @throws {ProcessError} If a rule cannot be read: a line for each.
 */
async function readAcls(
  config: Config,
  files: AclFiles,
): Promise<ReadonlyMap<string, Acl>> {
  const acls = new Map<string, Acl>();
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const { acl: file } of [config, ...config.locals, ...config.servers]) {
    if (file === undefined || seen.has(file.path)) continue;
    const { path } = file;
    seen.add(path);
    const reading = await files.read(file);
    if ("acl" in reading) acls.set(path, reading.acl);
    else {
      for (const { line, column, message } of reading.problems) {
        problems.push(`${path}:${line}:${column}: ${message}`);
      }
    }
  }
  if (problems.length > 0) throw new ProcessError(problems.join("\n"));
  return acls;
}
