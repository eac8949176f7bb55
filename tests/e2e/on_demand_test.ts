/**
 * What is loaded only by those who need it is there when they do: the strict
 * readers of files, which say where something is wrong, and the list of public
 * suffixes. An executable that lacks one of them fails here.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import {
  echoPieces,
  PASSWORD,
  runRole,
  spawnRole,
  TempFolder,
} from "../support/mod.ts";

/** Files with one fault, and the place and the words that it is told by. */
const FAULTS: readonly {
  readonly name: string;
  readonly text: string;
  readonly complaint: RegExp;
}[] = [
  {
    name: "syntax.toml",
    text: 'server = "127.0.0.1"\nserver_port 8388\n',
    complaint: /syntax\.toml:2:\d+: /,
  },
  {
    name: "twice.toml",
    text: 'server = "127.0.0.1"\nserver = "127.0.0.2"\n',
    complaint: /twice\.toml:2:1: .*server/,
  },
  {
    name: "unknown.toml",
    text: '[[servers]]\nserver = "127.0.0.1"\nserver_prot = 8388\n',
    complaint: /unknown\.toml:3:1: .*server_port/,
  },
  {
    name: "unknown.json",
    text: '{\n  // a comment\n  "server_prot": 8388,\n}\n',
    complaint: /unknown\.json:3:3: .*server_port/,
  },
];

for (const { name, text, complaint } of FAULTS) {
  Deno.test(`ssserver exits 1 and names the place in ${name}`, async () => {
    await using folder = new TempFolder();
    const file = folder.file(name);
    await Deno.writeTextFile(file, text, { mode: 0o600 });
    const result = await runRole("ssserver", { args: ["-c", file] });
    assertEquals(result.code, 1, result.output);
    assertMatch(result.output, complaint);
  });
}

for (const workers of Deno.build.os === "linux" ? [1, 2] : [1]) {
  Deno.test(`sslocal relays through a sticky group (workers=${workers})`, async () => {
    const agreed = { password: PASSWORD, method: "aes-256-gcm" };
    await using server = await spawnRole("ssserver", {
      config: {
        server: "127.0.0.1",
        server_port: 0,
        forbidden_ip: "",
        ...agreed,
      },
    });
    const address = {
      server: "127.0.0.1",
      server_port: server.port,
      ...agreed,
    };
    await using local = await spawnRole("sslocal", {
      config: {
        workers,
        servers: [{ ...address, name: "one" }, { ...address, name: "two" }],
        groups: [{ name: "both", strategy: "sticky", members: ["one", "two"] }],
        locals: [{
          local_address: "127.0.0.1",
          local_port: 0,
          outbound: "both",
        }],
      },
    });
    await echoPieces(local.port, [1, 1000, 20_000]);
  });
}
