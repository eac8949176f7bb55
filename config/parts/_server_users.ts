/**
 * The users of servers: those of the whole file, and those of one of
 * `[[servers]]`.
 *
 * @module
 */

import {
  type CipherMethod,
  findMethod,
  takesUsers,
} from "../../crypto/methods.ts";
import { shown } from "../_shown.ts";
import type { Findings } from "../_findings.ts";
import type { Spot } from "../formats/_place.ts";
import type { Section } from "../keys/_shape.ts";
import type { ServerUserKeys } from "../keys/_user_keys.ts";
import { isOf2022, pskIdentity } from "../readers/_psk.ts";
import type { HostPort, ServerConfig, ServerUser } from "../types.ts";

/** A user, and where its parts stand. */
export interface PlacedUser {
  /** The user. */
  readonly user: ServerUser;
  /** Where the name stands. */
  readonly nameAt: Spot | undefined;
  /** Where the password stands, or the name of its file. */
  readonly secretAt: Spot | undefined;
}

/** The server that users belong to, as far as it matters here. */
export type UsersServer =
  & Pick<ServerConfig, "method" | "password" | "port">
  & {
    /** What messages call it. */
    readonly label: string;
    /** Where it stands. */
    readonly at: Spot | undefined;
  };

/** More names than a line should have. */
const MAX_NAMES = 5;

/**
 * Reads users.
 *
 * @param sections Their tables.
 * @param findings Takes what is wrong.
 * @returns Those that are whole.
 */
export function readUsers(
  sections: readonly Section<ServerUserKeys>[],
  findings: Findings,
): PlacedUser[] {
  const users: PlacedUser[] = [];
  for (const section of sections) {
    const { name, password, method, port, disabled = false } = section.values;
    if (name !== undefined && password !== undefined) {
      const user = { name, password, method, port, disabled };
      const next = nextOf(section, findings);
      users.push({
        user: next === undefined ? user : { ...user, next },
        nameAt: section.at("name"),
        secretAt: section.at("password"),
      });
    } else if (section.lacks("name") || section.lacks("password")) {
      findings.refuse('a user needs "name" and "password"', section.spot);
    }
  }
  return users;
}

/** The server behind this one that a user stands for. */
function nextOf(
  section: Section<ServerUserKeys>,
  findings: Findings,
): HostPort | undefined {
  const { server, server_port: port } = section.values;
  if (server !== undefined && port !== undefined) return { host: server, port };
  if (section.lacks("server") !== section.lacks("server_port")) {
    findings.refuse(
      'a user with a server behind this one needs "server" and "server_port"',
      section.at("server") ?? section.at("server_port"),
    );
  }
  return undefined;
}

/**
 * Refuses users who stand with a server and are for another port.
 *
 * @param users Those of the server alone.
 * @param server The server.
 * @param findings Takes what is wrong.
 */
export function refuseOtherPorts(
  users: readonly PlacedUser[],
  server: Pick<UsersServer, "port" | "label">,
  findings: Findings,
): void {
  if (server.port === 0) return;
  for (const { user: { name, port }, nameAt } of users) {
    if (port === undefined || port === server.port) continue;
    findings.refuse(
      `user ${shown(name)} is for port ${port}, and stands with ` +
        `${server.label}, which listens on ${server.port}`,
      nameAt,
    );
  }
}

/** Checks the users of one server after the other. */
export class UserChecks {
  readonly #findings: Findings;
  /** What was said: the users of the whole file come with each server. */
  readonly #said = new Set<string>();
  /** What was found, by the lists given: there may be thousands of ports. */
  readonly #known = new Map<
    readonly PlacedUser[],
    Map<string, readonly ServerUser[]>
  >();

  /**
   * Makes the checks.
   *
   * @param findings Takes what is wrong.
   */
  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /**
   * Checks the users that a server has.
   *
   * @param users All that stand with it or with the whole file.
   * @param server The server.
   * @returns Those of its port.
   */
  usersOf(
    users: readonly PlacedUser[],
    server: UsersServer,
  ): readonly ServerUser[] {
    const known = this.#known.get(users) ?? new Map();
    this.#known.set(users, known);
    const hasPorts = users.some(({ user }) => user.port !== undefined);
    const port = hasPorts ? server.port : 0;
    const kind = `${server.method} ${port} ${server.password}`;
    const found = known.get(kind) ?? this.#check(users, server);
    known.set(kind, found);
    return found;
  }

  #check(
    users: readonly PlacedUser[],
    server: UsersServer,
  ): readonly ServerUser[] {
    const own = users.filter(({ user: { port } }) =>
      port === undefined || port === server.port || server.port === 0
    );
    this.#checkNames(own);
    this.#checkPasswords(own, server);
    this.#checkMethods(own, server);
    const isAnybody = own.some(({ user }) => !user.disabled);
    const is2022 = isOf2022(findMethod(server.method));
    // Without its users a server of 2022 would take its key for that of the
    // only one, and every user knows that key.
    if (users.length > 0 && !isAnybody && (is2022 || server.password === "")) {
      this.#refuse(
        `${server.label} has no user that is not disabled: nobody could use it`,
        server.at ?? users[0]!.nameAt,
      );
    }
    return own.map(({ user }) => user);
  }

  #checkNames(users: readonly PlacedUser[]): void {
    const names = new Set<string>();
    for (const { user: { name }, nameAt } of users) {
      if (names.has(name)) {
        this.#refuse(
          `user ${shown(name)} is given twice: give each another name`,
          nameAt,
        );
      }
      names.add(name);
    }
  }

  #checkPasswords(users: readonly PlacedUser[], server: UsersServer): void {
    const method = findMethod(server.method);
    const identityOf = (password: string): string =>
      method !== undefined && isOf2022(method)
        ? pskIdentity(password, method)
        : password;
    const owners = new Map<string, string>();
    const own = server.password === "" ? "" : identityOf(server.password);
    for (const { user: { name, password }, secretAt } of users) {
      const identity = identityOf(password);
      const other = owners.get(identity);
      const what = shown(name);
      if (identity === own) {
        this.#refuse(
          `user ${what} has the password of the server itself: give the user ` +
            "another",
          secretAt,
        );
      } else if (other !== undefined && other !== name) {
        this.#refuse(
          `users ${shown(other)} and ${what} have one password: give each ` +
            "another",
          secretAt,
        );
      } else {
        owners.set(identity, name);
      }
    }
  }

  #checkMethods(users: readonly PlacedUser[], server: UsersServer): void {
    const method = findMethod(server.method);
    if (method === undefined || users.length === 0) return;
    const isUsed = server.password !== "" ||
      users.some(({ user }) => user.method === undefined);
    if (isUsed && !takesUsers(method)) {
      this.#refuseUsers(users, method);
      return;
    }
    /** Users by the method of their own, if it cannot tell users apart. */
    const untaken = new Map<CipherMethod, PlacedUser[]>();
    for (const each of users) {
      const own = findMethod(each.user.method ?? server.method);
      if (each.user.next !== undefined && !(own && isOf2022(own))) {
        this.#refuse(
          `user ${shown(each.user.name)} has a "server" behind this one, ` +
            "which is for methods of 2022 alone: remove it",
          each.nameAt,
        );
      }
      if (own === undefined || own === method) continue;
      if (!takesUsers(own)) {
        untaken.set(own, [...untaken.get(own) ?? [], each]);
      } else if (isOf2022(own) || isOf2022(method)) {
        // The port is opened by its own method, also where nobody uses that.
        this.#refuse(
          `user ${shown(each.user.name)} has the method ${own.name}, which ` +
            `cannot share a port with ${method.name}`,
          each.nameAt,
        );
      }
    }
    for (const [own, group] of untaken) this.#refuseUsers(group, own);
  }

  #refuseUsers(
    users: readonly PlacedUser[],
    method: CipherMethod,
  ): void {
    const names = users.slice(0, MAX_NAMES).map(({ user }) => shown(user.name));
    const more = users.length - names.length;
    const rest = more > 0 ? ` and ${more} more` : "";
    const [lack, instead] = isOf2022(method)
      ? ["identity headers", "2022-blake3-aes-256-gcm"]
      : ["authentication", "aes-256-gcm"];
    this.#refuse(
      `method ${method.name} cannot tell users apart (${names.join(", ")}` +
        `${rest}): it has no ${lack}; use ${instead}`,
      users[0]?.nameAt,
    );
  }

  #refuse(text: string, at: Spot | undefined): void {
    if (this.#said.has(text)) return;
    this.#said.add(text);
    this.#findings.refuse(text, at);
  }
}
