/**
 * Tests of the file with the table of salts.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { openSaltFile, stateDir } from "./salt_file.ts";
import type { SharedSalts } from "./salt_table.ts";
import { saltMemory } from "./shared_salts.ts";
import { seededBytes } from "../../tests/support/bytes.ts";
import { TempFolder } from "../../tests/support/files.ts";
import { LogCapture } from "../../tests/support/logs.ts";

const OWNER = {
  masterKey: seededBytes(32),
  isProven: true,
  side: "server",
} as const;
const SALT = seededBytes(32, 9);

/** False: the salt is known. */
function add(salts: SharedSalts | undefined, salt = SALT): boolean {
  if (salts === undefined) throw new Error("no table");
  return saltMemory(salts.table).forKey(OWNER).streams.add(salt);
}

async function modeOf(path: string): Promise<number> {
  return ((await Deno.stat(path)).mode ?? 0) & 0o777;
}

for (const isMapped of [true, false]) {
  const how = isMapped ? "mapped" : "written";
  Deno.test(`openSaltFile() finds what was remembered before (${how})`, async () => {
    using log = new LogCapture();
    await using folder = new TempFolder();
    const state = `${folder.path}/deep/state`;
    {
      using salts = openSaltFile(state, isMapped);
      assert(add(salts));
    }
    for (const again of [isMapped, !isMapped]) {
      using salts = openSaltFile(state, again);
      assert(!add(salts), "the two ways have one file");
    }
    assertEquals(log.of("warning"), []);
    if (Deno.build.os === "windows") return;
    assertEquals(await modeOf(`${state}/replay`), 0o600);
    assertEquals(await modeOf(state), 0o700);
  });

  Deno.test(`openSaltFile() replaces a file that is broken, and says so (${how})`, async () => {
    using log = new LogCapture();
    await using folder = new TempFolder();
    const path = `${folder.path}/replay`;
    const cases: readonly (readonly [string, () => void])[] = [
      ["it is too short", () => Deno.writeTextFileSync(path, "salts")],
      [
        "it is no replay memory",
        () => Deno.writeFileSync(path, seededBytes(100_000)),
      ],
      ["it was cut", () => Deno.truncateSync(path, 50_000)],
      ["its checksum is wrong", () => {
        using file = Deno.openSync(path, { write: true });
        file.seekSync(20, Deno.SeekMode.Start);
        file.writeSync(new Uint8Array(4));
      }],
      ["it is no file of this user", () => {
        Deno.removeSync(path);
        Deno.symlinkSync(`${folder.path}/elsewhere`, path);
      }],
    ];
    {
      using _first = openSaltFile(folder.path, isMapped);
    }
    for (const [reason, harm] of cases) {
      harm();
      log.clear();
      using salts = openSaltFile(folder.path, isMapped);
      assertEquals(log.of("warning"), [
        `replaced ${path}, which has no used salts: ${reason}`,
      ]);
      assert(add(salts));
      assert(!add(salts));
    }
    const names = await Array.fromAsync(Deno.readDir(folder.path));
    assertEquals(names.map(({ name }) => name), ["replay"]);
  });
}

Deno.test("openSaltFile() says once that there can be no file", async () => {
  using log = new LogCapture();
  await using folder = new TempFolder();
  await Deno.writeTextFile(`${folder.path}/file`, "");
  assertEquals(openSaltFile(`${folder.path}/file`), undefined);
  await Deno.mkdir(`${folder.path}/state/replay/x`, { recursive: true });
  assertEquals(openSaltFile(`${folder.path}/state`), undefined);
  const warnings = log.of("warning");
  assertEquals(warnings.length, 2);
  for (const text of warnings) {
    assertMatch(text, /^cannot keep used salts in .*: .*; a restart forgets/);
  }
});

Deno.test({
  name: "openSaltFile() gives two who have it open one memory",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    using _log = new LogCapture();
    await using folder = new TempFolder();
    using one = openSaltFile(folder.path);
    using other = openSaltFile(folder.path);
    assert(one?.table.address !== other?.table.address);
    assert(add(one));
    assert(!add(other));
    // A file that is gone or replaced does not harm those who have it.
    await Deno.remove(`${folder.path}/replay`);
    using next = openSaltFile(folder.path);
    assert(add(next));
    assert(!add(one));
  },
});

Deno.test({
  name: "openSaltFile() is quick with a full file",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    using _log = new LogCapture();
    await using folder = new TempFolder();
    using first = openSaltFile(folder.path);
    const filter = saltMemory(first!.table).forKey(OWNER).streams;
    const words = new Uint32Array(4);
    for (let n = 0; n < 1_000_000; n++) {
      words[0] = n;
      filter.add(new Uint8Array(words.buffer));
    }
    const start = performance.now();
    using again = openSaltFile(folder.path);
    assert(!add(again, new Uint8Array(words.buffer)));
    assert(performance.now() - start < 50);
  },
});

Deno.test("stateDir() takes the first that is named", () => {
  const cases: readonly (readonly [Record<string, string>, string])[] = [
    [{}, "/var/lib/shadowsocks"],
    [
      { XDG_STATE_HOME: "/home/a/.local/state" },
      "/home/a/.local/state/shadowsocks",
    ],
    [
      { STATE_DIRECTORY: "/var/lib/ss:/b", XDG_STATE_HOME: "/c" },
      "/var/lib/ss",
    ],
    [{ STATE_DIRECTORY: "", XDG_STATE_HOME: "" }, "/var/lib/shadowsocks"],
  ];
  for (const [variables, expected] of cases) {
    const env = (name: string): string | undefined => variables[name];
    assertEquals(stateDir(undefined, { env, os: "linux" }), expected);
    assertEquals(stateDir("/own", { env, os: "linux" }), "/own");
  }
});

/** Calls something after each look at a path that the code takes. */
function afterEachLook(
  path: string,
  then: (count: number) => void,
): Disposable {
  const { lstatSync } = Deno;
  let count = 0;
  const watched = (asked: string | URL): Deno.FileInfo => {
    try {
      return lstatSync(asked);
    } finally {
      if (asked === path) then(++count);
    }
  };
  Object.defineProperty(Deno, "lstatSync", {
    value: watched,
    configurable: true,
    writable: true,
  });
  return {
    [Symbol.dispose]: () => {
      Object.defineProperty(Deno, "lstatSync", {
        value: lstatSync,
        configurable: true,
        writable: true,
      });
    },
  };
}

for (const isMapped of [true, false]) {
  for (const target of ["victim", "absent"]) {
    for (const look of [1, 2, 3]) {
      const how = isMapped ? "mapped" : "written";
      Deno.test({
        name:
          `openSaltFile() leaves ${target} alone that a link leads to after look ${look} (${how})`,
        ignore: Deno.build.os === "windows",
        fn: async () => {
          using _log = new LogCapture();
          await using folder = new TempFolder();
          const state = `${folder.path}/state`;
          const path = `${state}/replay`;
          const victim = `${folder.path}/victim`;
          {
            using _salts = openSaltFile(state, isMapped);
          }
          // Its head is right, so that nothing else speaks against it.
          await Deno.copyFile(path, victim);
          await Deno.chmod(victim, 0o644);
          const before = await Deno.readFile(victim);
          if (target === "absent") await Deno.remove(path);
          using _race = afterEachLook(path, (count) => {
            if (count !== look) return;
            try {
              Deno.renameSync(path, `${folder.path}/moved`);
            } catch {
              // There is none yet.
            }
            Deno.symlinkSync(`${folder.path}/${target}`, path);
          });
          {
            using salts = openSaltFile(state, isMapped);
            add(salts);
          }
          const names = await Array.fromAsync(Deno.readDir(folder.path));
          assert(!names.some(({ name }) => name === "absent"));
          assertEquals(await modeOf(victim), 0o644);
          assertEquals(await Deno.readFile(victim), before);
        },
      });
    }
  }
}

Deno.test({
  name:
    "openSaltFile() replaces a file that has another name, and takes the rights of others",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    using log = new LogCapture();
    await using folder = new TempFolder();
    const path = `${folder.path}/replay`;
    {
      using salts = openSaltFile(folder.path);
      assert(add(salts));
    }
    await Deno.chmod(path, 0o644);
    {
      using salts = openSaltFile(folder.path);
      assert(!add(salts));
    }
    assertEquals(await modeOf(path), 0o600);
    await Deno.link(path, `${folder.path}/other`);
    log.clear();
    using _salts = openSaltFile(folder.path);
    assertEquals(log.of("warning"), [
      `replaced ${path}, which has no used salts: it has another name too`,
    ]);
  },
});
