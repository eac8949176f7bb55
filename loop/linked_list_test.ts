/**
 * Tests of the linked list.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { LinkedList, ListItem } from "./linked_list.ts";

class Item extends ListItem<Item> {
  readonly name: number;

  constructor(name: number) {
    super();
    this.name = name;
  }
}

/** The names, checked from both ends. */
function names(list: LinkedList<Item>): number[] {
  const found: number[] = [];
  let last: Item | undefined;
  for (let item = list.first; item !== undefined; item = item.next) {
    assertStrictEquals(item.previous, last);
    assertEquals(item.listed, true);
    found.push(item.name);
    last = item;
  }
  return found;
}

Deno.test("LinkedList keeps the order in which items were pushed", () => {
  const list = new LinkedList<Item>();
  assertEquals(list.first, undefined);
  for (const name of [1, 2, 3]) list.push(new Item(name));
  assertEquals(names(list), [1, 2, 3]);
});

Deno.test("LinkedList.remove() takes an item out wherever it stands", () => {
  for (const order of [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]]) {
    const list = new LinkedList<Item>();
    const items = [0, 1, 2].map((name) => new Item(name));
    for (const item of items) list.push(item);
    const left = new Set([0, 1, 2]);
    for (const name of order) {
      const item = items[name]!;
      list.remove(item);
      list.remove(item);
      left.delete(name);
      assertEquals(names(list), [...left]);
      assertEquals(
        [item.listed, item.previous, item.next],
        [false, undefined, undefined],
      );
    }
    // What was taken out may come again.
    list.push(items[1]!);
    list.push(items[0]!);
    assertEquals(names(list), [1, 0]);
  }
});
