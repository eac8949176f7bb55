/**
 * The rules for names in the lists that are about clients on a server.
 *
 * @module
 */

import type { AclRemark, ListName } from "./acl.ts";

/** The lists about clients, in the words of servers. */
const SECTIONS: ReadonlyMap<ListName, string> = new Map<ListName, string>([
  ["black", "[black_list]"],
  ["white", "[white_list]"],
]);

/** Counts rules for names where a server has no use for them. */
export class ClientNames {
  readonly #sections = new Set<string>();
  #count = 0;
  #line = 0;
  #column = 0;

  /**
   * Counts a rule for a name.
   *
   * @param list The list that it stands in.
   * @param line Its line, from 1.
   * @param column Its column, from 1.
   */
  add(list: ListName, line: number, column: number): void {
    const section = SECTIONS.get(list);
    if (section === undefined) return;
    this.#sections.add(section);
    if (this.#count++ > 0) return;
    this.#line = line;
    this.#column = column;
  }

  /**
   * Says what a server should know: one line, however many rules there are.
   *
   * @returns undefined: there are none.
   */
  remark(): AclRemark | undefined {
    if (this.#count === 0) return undefined;
    const sections = [...this.#sections].join(" and ");
    const rules = this.#count === 1 ? "1 rule" : `${this.#count} rules`;
    const have = this.#count === 1 ? "has" : "have";
    return {
      line: this.#line,
      column: this.#column,
      message: `${rules} for names in ${sections} ${have} no effect on a ` +
        "server: clients are known by their addresses",
    };
  }
}
