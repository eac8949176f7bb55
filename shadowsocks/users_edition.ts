/**
 * Many users on one port with the AEAD methods of 2017, each with a key and, if
 * need be, a method of its own. Their bytes do not say whose they are: the keys
 * are tried, see `_user_table.ts`, and the one that opens the first sealed
 * length, or the packet, is the user's. What follows is the edition of one key.
 *
 * ```text
 * salt 16|24|32 ‖ seal(length) 2 + 16 ‖ …      keys are tried on these
 * ```
 *
 * What a probe can see:
 *
 * - By bytes: nothing. Tries begin at one count, that of the longest salt of
 *   the port and 18 more, also for the keys of shorter salts: the least flight
 *   of a client, which ends with the tag of a payload, has 34 bytes beside its
 *   salt and nearly always 41, so that of the shortest salt (16) is not shorter
 *   than what the longest (32) has to wait for, 50. Whoever fails is refused in
 *   the same way whatever the count of bytes, of users and of methods.
 * - By time: a stranger's search takes 1 µs a user. No byte is sent and nothing
 *   is closed at its end, so there is no moment to measure; a client's own end
 *   is answered by the clock, see `relay/quiet_ends.ts`.
 *
 * What it costs (Deno 2.9, OpenSSL 3.0.19, an AMD EPYC; `deno task bench --only
 * users`): a stranger 85 to 170 µs with 100 users, by method; a client whose key
 * was used from its address before 5 µs more a connection than with one key,
 * and nothing more a packet, however many users there are. A user takes 1.8 KB
 * of memory, since those of a method share its cipher.
 *
 * A stranger's connection is searched for once, among all, and read in silence
 * from then on: with 1,000 users it costs 1 ms, as much as a handshake of TLS
 * does. Packets can come in any number and from invented addresses, so those of
 * addresses that are not known have a budget, a tenth of one processor's time:
 * over it they are tried with the keys of the address and the sixteen that were used
 * last. So nobody is refused for good: a connection makes its address known
 * for packets too, and clients ask again.
 *
 * @module
 */

import { CipherError, type CipherMethod, takesUsers } from "../crypto/mod.ts";
import type { Endpoint } from "../socks5/mod.ts";
import { type ClassicCommon, ClassicPort, newCommon } from "./_classic_port.ts";
import { TrialBudget } from "./_trial_budget.ts";
import { UserTable } from "./_user_table.ts";
import {
  HeadTrial,
  UsersServerPackets,
  UsersServerStream,
} from "./_users_server.ts";
import { type EditionClock, SYSTEM_CLOCK } from "./clock.ts";
import type {
  ClientPackets,
  ClientStream,
  Edition,
  ServerPackets,
  ServerStream,
  ServerStreamListener,
} from "./edition.ts";
import { ReplayMemory } from "./replay_memory.ts";
import { CipherSuite, type ProviderSource, requireMethod } from "./suite.ts";

/** A user with a method that exists. */
interface UserKey {
  /** The name; `""`: the nameless user. */
  readonly name: string;
  /** The user's own password. */
  readonly password: string;
  /** The user's own method. */
  readonly method: CipherMethod;
}

/** What a {@linkcode UsersEdition} needs beside its users. */
export interface UsersEditionOptions {
  /** Whether one-time authentication is required. */
  readonly oneTimeAuth?: boolean | undefined;
  /** Where salts are remembered. Default: in the edition alone. */
  readonly memory?: ReplayMemory | undefined;
  /** What time it is. Default: the system's clocks. */
  readonly clock?: EditionClock | undefined;
}

/** The users of a port, its password, and what they are made with. */
export interface UsersRequest {
  /** The method of the port and of users without one, in any case. */
  readonly method: string;
  /** That of the nameless user; empty: there is none. */
  readonly password: string;
  /** The users, one at least. */
  readonly users: readonly {
    readonly name: string;
    readonly password: string;
    readonly method?: string | undefined;
    readonly disabled?: boolean | undefined;
  }[];
  /** Whether one-time authentication is required. */
  readonly oneTimeAuth?: boolean | undefined;
}

/** What the edition shares with others. */
export interface UsersContext {
  /** Where the libraries come from; must outlive the edition. */
  readonly providers: ProviderSource;
  /** Where salts are remembered. Default: in the edition alone. */
  readonly replayMemory?: ReplayMemory | undefined;
  /** What time it is. Default: the system's clocks. */
  readonly clock?: EditionClock | undefined;
}

/**
 * Makes the edition of a port with users.
 *
 * @param request The users.
 * @param context What it shares with others.
 * @returns The edition.
 * @throws {CipherError} `unknown_method`; `not_supported`, if a method has no
 * authentication or no library has it; `bad_key`, if two users have one name or
 * one password, or one has no name or no password.
 */
export async function openUsersEdition(
  request: UsersRequest,
  { providers, replayMemory, clock }: UsersContext,
): Promise<Edition> {
  const keys = keysOf(request);
  using stack = new DisposableStack();
  /** The first suite of each method, whose cipher the others share. */
  const first = new Map<CipherMethod, CipherSuite>();
  const ports: { readonly name: string; readonly suite: CipherSuite }[] = [];
  for (const { name, password, method } of keys) {
    const source = first.get(method) ?? await providers.forMethod(method);
    const suite = stack.use(new CipherSuite(method, password, source));
    if (!first.has(method)) first.set(method, suite);
    ports.push({ name, suite });
  }
  const { oneTimeAuth } = request;
  const options = { oneTimeAuth, memory: replayMemory, clock };
  const edition = new UsersEdition(ports, options);
  stack.move();
  return edition;
}

/** The 2017 edition with the keys of many users; a server's only. */
export class UsersEdition implements Edition {
  /** That of the first user. */
  readonly method: CipherMethod;
  readonly providerVersion: string;
  readonly authenticates = true;
  readonly usesAddress = true;
  readonly #ports: readonly ClassicPort[];
  readonly #commons: Iterable<ClassicCommon>;
  readonly #table: UserTable;
  readonly #heads: HeadTrial;
  readonly #budget: TrialBudget;

  /**
   * Makes the edition of a port.
   *
   * @param users Each with a key of an AEAD method; one at least. The suites
   * become the edition's own.
   * @param options What else.
   */
  constructor(
    users: readonly { readonly name: string; readonly suite: CipherSuite }[],
    options: UsersEditionOptions = {},
  ) {
    const { oneTimeAuth = false, memory = ReplayMemory.inMemory() } = options;
    const commons = new Map<CipherMethod, ClassicCommon>();
    this.#ports = users.map(({ name: user, suite }) => {
      let common = commons.get(suite.method);
      if (common === undefined) {
        common = newCommon(suite.method.saltLength);
        commons.set(suite.method, common);
      }
      return new ClassicPort(suite, { oneTimeAuth, memory, user, common });
    });
    this.#commons = commons.values();
    const { suite } = users[0]!;
    this.method = suite.method;
    this.providerVersion = suite.providerVersion;
    this.#table = new UserTable(this.#ports);
    this.#heads = new HeadTrial(this.#table);
    this.#budget = new TrialBudget(options.clock ?? SYSTEM_CLOCK);
  }

  /**
   * Not for clients: they have one key.
   *
   * @param _target Of no use.
   * @throws {TypeError} Always.
   */
  newClientStream(_target: Endpoint): ClientStream {
    throw serverOnly();
  }

  /**
   * Starts a server's connection.
   *
   * @param listener Told of chunks that were dropped.
   * @param from The client's IP address.
   * @returns Its state; must not outlive the edition.
   */
  newServerStream(
    listener?: ServerStreamListener,
    from?: string,
  ): ServerStream {
    return new UsersServerStream(this.#heads, listener, from);
  }

  /**
   * Not for clients: they have one key.
   *
   * @throws {TypeError} Always.
   */
  newClientPackets(): ClientPackets {
    throw serverOnly();
  }

  /**
   * Starts a listener's datagrams.
   *
   * @returns Their codec; must not outlive the edition.
   */
  newServerPackets(): ServerPackets {
    return new UsersServerPackets(this.#table, this.#budget);
  }

  /** Frees the ciphers and wipes the keys. */
  [Symbol.dispose](): void {
    for (const { suite } of this.#ports) suite[Symbol.dispose]();
    for (const { buffer } of this.#commons) buffer[Symbol.dispose]();
  }
}

/** The users with their methods, once it is sure that each can be told. */
function keysOf({ method, password, users }: UsersRequest): UserKey[] {
  /** Looked at where it serves somebody only: users may all have their own. */
  const ofPort = (): CipherMethod => requireUsersMethod(method, "the port");
  const keys: UserKey[] = [];
  const names = new Set<string>();
  let last = requireMethod(method);
  /** Who has a key, by cipher and password. */
  const owners = new Map<string, string>();
  for (const user of users) {
    const own = user.method === undefined
      ? ofPort()
      : requireUsersMethod(user.method, `user ${quoted(user.name)}`);
    if (user.name === "" || names.has(user.name)) {
      throw badKey(
        user.name === ""
          ? "one has no name"
          : `two have the name ${quoted(user.name)}`,
      );
    }
    if (user.password === "") {
      throw badKey(`${quoted(user.name)} has no password`);
    }
    names.add(user.name);
    const key = `${own.cipher} ${user.password}`;
    const owner = owners.get(key);
    if (owner !== undefined) {
      throw badKey(
        `${quoted(owner)} and ${quoted(user.name)} have the same password`,
      );
    }
    owners.set(key, user.name);
    last = own;
    if (user.disabled === true) continue;
    keys.push({ name: user.name, password: user.password, method: own });
  }
  // Who has the port's password as a user's own is that user.
  if (password !== "" && !owners.has(`${ofPort().cipher} ${password}`)) {
    keys.push({ name: "", password, method: ofPort() });
  }
  // With nobody to serve it stays the port that it was: of a key that nobody has.
  if (keys.length === 0) {
    keys.push({ name: "", password: crypto.randomUUID(), method: last });
  }
  return keys;
}

function requireUsersMethod(name: string, whose: string): CipherMethod {
  const method = requireMethod(name);
  if (takesUsers(method) && method.edition === "classic") return method;
  throw new CipherError(
    "not_supported",
    method.edition === "classic"
      ? `Cannot serve users with method ${method.name} of ${whose}: it has no authentication, so that nothing tells whose bytes they are; take an AEAD method`
      : `Cannot serve users with method ${method.name} of ${whose} beside methods of 2017: give it a port of its own`,
  );
}

function badKey(detail: string): CipherError {
  return new CipherError("bad_key", `Cannot serve users: ${detail}`);
}

function quoted(name: string): string {
  return JSON.stringify(name);
}

function serverOnly(): TypeError {
  return new TypeError(
    "Cannot be a client: an edition of many users is a server's",
  );
}
