/**
 * One list of rules, ready for look-ups.
 *
 * @module
 */

import type { Cidr } from "../../loop/mod.ts";
import type { Rule } from "./_rule.ts";
import { NameTable } from "./_name_table.ts";
import { PatternSet } from "./_pattern_set.ts";
import type { AclList } from "./acl.ts";
import { IpNetworks } from "./ip_networks.ts";

/** Rules for names and addresses; they are added first, then it is sealed. */
export class RuleList implements AclList {
  readonly #names = new NameTable();
  readonly #patterns = new PatternSet();
  readonly #cidrs: Cidr[] = [];
  #networks = new IpNetworks([]);

  /** The networks; empty before the list is sealed. */
  get networks(): IpNetworks {
    return this.#networks;
  }

  /**
   * Adds a rule.
   *
   * @param rule The rule.
   * @param text How it reads.
   * @returns Why it cannot be added; undefined: it was.
   */
  add(rule: Rule, text: string): string | undefined {
    switch (rule.kind) {
      case "network":
        this.#cidrs.push(rule.network);
        return undefined;
      case "name":
        this.#names.add(rule.name, rule.flags);
        return undefined;
      case "pattern":
        return this.#patterns.add(text, rule.pattern);
    }
  }

  /** Makes it ready: nothing may be added afterwards. */
  seal(): void {
    this.#names.trim();
    this.#patterns.seal();
    this.#networks = new IpNetworks(this.#cidrs);
    this.#cidrs.length = 0;
  }

  /**
   * Finds a rule for a name.
   *
   * @param host The name as `canonicalHost` gives it.
   * @returns The rule's text; undefined: there is none.
   */
  findName(host: string): string | undefined {
    return this.#names.find(host) ?? this.#patterns.find(host);
  }
}
