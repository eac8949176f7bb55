/**
 * Access control lists: rules for names and addresses, and what they say about
 * clients and targets. In files as those of shadowsocks-rust and
 * shadowsocks-libev; see {@linkcode parseAcl} for what they hold.
 *
 * @module
 */

import type { IpNetworks } from "./ip_networks.ts";

/** The lists of rules; `black` is `[bypass_list]`, `white` `[proxy_list]`. */
export type ListName = "black" | "white" | "outboundBlock" | "outboundAllow";

/** The rules of one list. */
export interface AclList {
  /** The rules for addresses. */
  readonly networks: IpNetworks;
  /**
   * Finds a rule for a name.
   *
   * @param host The name as `canonicalHost` gives it.
   * @returns The rule's text; undefined: there is none.
   */
  findName(host: string): string | undefined;
}

/** What a rule asks for. */
export interface Verdict {
  /** The list that the rule stands in. */
  readonly list: ListName;
  /** The rule. */
  readonly rule: string;
}

/** A remark about a line of a file. */
export interface AclRemark {
  /** The line, from 1. */
  readonly line: number;
  /** The column, from 1. */
  readonly column: number;
  /** What is to be said. */
  readonly message: string;
}

/** What {@linkcode Acl} is made of. */
export interface AclParts {
  /** Where it was read from. */
  readonly path: string;
  /** `[bypass_all]`, `[reject_all]`. */
  readonly bypassAll: boolean;
  /** `[outbound_block_all]`. */
  readonly outboundBlockAll: boolean;
  /** The lists. */
  readonly lists: Readonly<Record<ListName, AclList>>;
  /** What a server should know about the rules for names of clients. */
  readonly clientNames: AclRemark | undefined;
}

/** The rules of one file. Immutable: listeners may share it. */
export class Acl {
  /** Where it was read from. */
  readonly path: string;
  /** On a client: what has no rule goes direct. On a server: is refused. */
  readonly bypassAll: boolean;
  /** Targets that have no rule are forbidden. */
  readonly outboundBlockAll: boolean;
  /**
   * Says that `[black_list]` or `[white_list]` has rules for names, at the
   * first of them: on a server these lists are about clients, who have none.
   * undefined: there is no such rule.
   */
  readonly clientNames: AclRemark | undefined;
  readonly #lists: Readonly<Record<ListName, AclList>>;

  /**
   * Puts the rules together; {@linkcode parseAcl} does.
   *
   * @param parts What the file holds.
   */
  constructor(parts: AclParts) {
    this.path = parts.path;
    this.bypassAll = parts.bypassAll;
    this.outboundBlockAll = parts.outboundBlockAll;
    this.clientNames = parts.clientNames;
    this.#lists = parts.lists;
  }

  /**
   * Whether a name that has no rule must be looked up to know its route: only
   * the list against the default can change it.
   */
  get routeNeedsAddress(): boolean {
    const { black, white } = this.#lists;
    return (this.bypassAll ? white : black).networks.size > 0;
  }

  /** The same for whether `[outbound_block_all]` forbids a name. */
  get outboundNeedsAddress(): boolean {
    return this.#lists.outboundAllow.networks.size > 0;
  }

  /** Whether `[outbound_block_list]` has networks. */
  get blocksNetworks(): boolean {
    return this.#lists.outboundBlock.networks.size > 0;
  }

  /**
   * On a client: whether a name goes direct. `[proxy_list]` comes first, as in
   * shadowsocks-rust.
   *
   * @param host The name as `canonicalHost` gives it.
   * @returns undefined: no rule is for it.
   */
  routeOfName(host: string): Verdict | undefined {
    const { black, white } = this.#lists;
    return verdict("white", white.findName(host)) ??
      verdict("black", black.findName(host));
  }

  /**
   * On a client: whether an address goes direct. On a server: whether a client
   * with this address is refused. `[bypass_list]` or `[black_list]` comes
   * first.
   *
   * @param address 4 or 16 bytes.
   * @returns undefined: no rule is for it.
   */
  routeOfAddress(address: Uint8Array): Verdict | undefined {
    const { black, white } = this.#lists;
    return verdict("black", black.networks.findExactly(address)) ??
      verdict("white", white.networks.findExactly(address));
  }

  /**
   * Whether any of a name's addresses turns the default around.
   *
   * @param addresses 4 or 16 bytes each.
   * @returns undefined: none does.
   */
  routeOfAddresses(addresses: readonly Uint8Array[]): Verdict | undefined {
    const list = this.bypassAll ? "white" : "black";
    const { networks } = this.#lists[list];
    for (const address of addresses) {
      const rule = networks.findExactly(address);
      if (rule !== undefined) return { list, rule };
    }
    return undefined;
  }

  /**
   * Whether a name is forbidden as a target. `[outbound_block_list]` comes
   * first.
   *
   * @param host The name as `canonicalHost` gives it.
   * @returns undefined: no rule is for it.
   */
  outboundOfName(host: string): Verdict | undefined {
    const { outboundBlock, outboundAllow } = this.#lists;
    return verdict("outboundBlock", outboundBlock.findName(host)) ??
      verdict("outboundAllow", outboundAllow.findName(host));
  }

  /**
   * Finds the rule that forbids an address as a target. It sees IPv4 addresses
   * inside IPv6 ones (NAT64 and others), or those would walk around it.
   *
   * @param address 4 or 16 bytes.
   * @returns undefined: `[outbound_block_list]` has none.
   */
  blockRuleOf(address: Uint8Array): string | undefined {
    return this.#lists.outboundBlock.networks.find(address);
  }

  /**
   * Tells whether a rule allows an address as a target.
   *
   * @param address 4 or 16 bytes.
   */
  allowsOutbound(address: Uint8Array): boolean {
    return this.#lists.outboundAllow.networks.containsExactly(address);
  }

  /**
   * Whether an address is forbidden as a target. `[outbound_block_list]` comes
   * first.
   *
   * @param address 4 or 16 bytes.
   * @returns undefined: no rule is for it.
   */
  outboundOfAddress(address: Uint8Array): Verdict | undefined {
    return verdict("outboundBlock", this.blockRuleOf(address)) ??
      verdict(
        "outboundAllow",
        this.#lists.outboundAllow.networks.findExactly(address),
      );
  }

  /**
   * The same for the addresses of one name: a single forbidden one forbids the
   * name, else a single allowed one allows it.
   *
   * @param addresses 4 or 16 bytes each.
   * @returns undefined: no rule is for any of them.
   */
  outboundOfAddresses(addresses: readonly Uint8Array[]): Verdict | undefined {
    let allowed: Verdict | undefined;
    for (const address of addresses) {
      const found = this.outboundOfAddress(address);
      if (found?.list === "outboundBlock") return found;
      allowed ??= found;
    }
    return allowed;
  }
}

function verdict(
  list: ListName,
  rule: string | undefined,
): Verdict | undefined {
  return rule === undefined ? undefined : { list, rule };
}
