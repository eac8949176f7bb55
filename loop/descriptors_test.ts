/**
 * Who gets descriptors when they run short; one test needs a process of its
 * own, which has too few.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { pollers } from "../tests/_loop_fixture.ts";
import { DescriptorBudget, type DescriptorHolder } from "./descriptors.ts";

const FOLDER = dirname(fromFileUrl(import.meta.url));

for (const name of pollers()) {
  Deno.test(`ListenerSocket.accept() says EMFILE and recovers (${name})`, async () => {
    // Other systems have other limits, and other ways to set them.
    if (Deno.build.os !== "linux") return;
    const script = join(FOLDER, "..", "tests", "_descriptor_limit.ts");
    const { success, stdout, stderr } = await new Deno.Command("sh", {
      args: [
        "-c",
        'ulimit -n 64 && exec "$@"',
        "sh",
        Deno.execPath(),
        "run",
        "-A",
        "--no-check",
        script,
        name,
      ],
      env: { NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    assert(success, decoder.decode(stdout) + decoder.decode(stderr));
  });
}

for (const name of pollers()) {
  Deno.test(`makePoller() opens what turns need before there are sockets (${name})`, async () => {
    if (Deno.build.os !== "linux") return;
    const script = join(FOLDER, "..", "tests", "_turn_descriptors.ts");
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--unstable-net", "--no-check", script, name],
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(new TextDecoder().decode(stdout), "0\n");
  });
}

/** Holds so many sockets, and notes what it is asked for. */
class FakeHolder implements DescriptorHolder {
  held: number;
  released = 0;

  constructor(held: number) {
    this.held = held;
  }

  release(): boolean {
    if (this.held === 0) return false;
    this.held--;
    this.released++;
    return true;
  }
}

for (
  const { total, short, full } of [
    { total: 1000, short: 936, full: 500 },
    { total: 40, short: 30, full: 20 },
    { total: -5, short: 4, full: 1 },
    { total: Infinity, short: Infinity, full: Infinity },
  ]
) {
  Deno.test(`DescriptorBudget keeps a reserve of ${total} descriptors, and half of them from associations`, () => {
    const budget = new DescriptorBudget(total);
    const most = Math.min(short, 5000);
    budget.open = most - 1;
    assertEquals(budget.isShort, false);
    budget.open = most;
    assertEquals(budget.isShort, short === most);
    budget.associated = Math.min(full, 5000) - 1;
    assertEquals(budget.isAssociationFull, false);
    budget.associated = Math.min(full, 5000);
    assertEquals(budget.isAssociationFull, full <= 5000);
  });
}

Deno.test("DescriptorBudget.fix() leaves a socket out of the count as long as it is there", () => {
  const budget = new DescriptorBudget(40);
  budget.open = 30;
  budget.fix(1);
  assertEquals([budget.open, budget.isShort], [29, false]);
  budget.fix(-1);
  assertEquals([budget.open, budget.isShort], [30, true]);
});

Deno.test("DescriptorBudget.makeRoom() asks who holds most, then the others", () => {
  const budget = new DescriptorBudget(40);
  const [few, many] = [new FakeHolder(1), new FakeHolder(2)];
  for (const holder of [few, many]) budget.addHolder(holder);
  assert(budget.makeRoom(undefined));
  assertEquals([few.released, many.released], [0, 1]);
  while (budget.makeRoom(undefined));
  assertEquals([few.released, many.released], [1, 2]);
  few.held = 1;
  budget.removeHolder(few);
  assertEquals(budget.makeRoom(undefined), false);
});
