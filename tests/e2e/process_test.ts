/**
 * The program towards its user: exit codes, messages, signals, listeners.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import denoJson from "../../deno.json" with { type: "json" };
import {
  echoTarget,
  EXECUTABLE,
  isListening,
  PASSWORD,
  request,
  type RoleOptions,
  type RoleResult,
  runRole,
  socks5Connect,
  spawnPair,
  spawnRole,
  type TestedRole,
} from "../support/mod.ts";

/** The pollers of this system. */
const POLLERS = Deno.build.os === "linux" ? ["epoll", "deno"] : ["deno"];

/** A local that nobody uses. */
const LOCAL = {
  server: "127.0.0.1",
  server_port: 8388,
  local_address: "127.0.0.1",
  local_port: 0,
  password: PASSWORD,
  method: "aes-256-gcm",
} as const;

const SERVER = {
  server: "127.0.0.1",
  server_port: 0,
  password: PASSWORD,
  method: "aes-256-gcm",
} as const;

Deno.test("ssserver says where it listens when it starts", async () => {
  await using server = await spawnRole("ssserver", { config: SERVER });
  assertMatch(
    server.program.output,
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO +starting server at 127\.0\.0\.1:[1-9]\d*$/m,
  );
  assert(await isListening(server.port));
});

Deno.test("a start writes lines of one form", async () => {
  await using local = await spawnRole("sslocal", {
    config: { ...LOCAL, no_delay: true },
  });
  const lines = local.program.lines.filter((line) => line !== "");
  assert(lines.length >= 3, local.program.output);
  for (const line of lines) {
    assertMatch(line, /^[\d-]{10} [\d:]{8} (?:INFO|WARNING) +(?!warning)/);
  }
});

Deno.test("sslocal starts with an ss:// link", async () => {
  const link = `ss://${btoa(`aes-256-gcm:${PASSWORD}`)}@192.0.2.1:8388#a`;
  await using local = await spawnRole("sslocal", { args: [link, "-l", "0"] });
  assert(await isListening(local.port));
  assert(!local.program.output.includes(PASSWORD));
});

Deno.test("sslocal says where it listens when it starts", async () => {
  await using local = await spawnRole("sslocal", { config: LOCAL });
  assertMatch(
    local.program.output,
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO +starting local at 127\.0\.0\.1:[1-9]\d*$/m,
  );
});

Deno.test("sslocal takes the command line when the file says otherwise", async () => {
  await using local = await spawnRole("sslocal", {
    config: { ...LOCAL, local_port: 1 },
    args: ["-l", "0"],
  });
  assert(local.port > 1);
});

/** Windows ends a process without asking it. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? []
  : ["SIGTERM", "SIGINT"];

for (const signal of SIGNALS) {
  for (
    const event_loop of POLLERS
  ) {
    Deno.test(`both roles exit 0 over ${event_loop} when ${signal} comes amid traffic`, async () => {
      await using pair = await spawnPair({ both: { event_loop } });
      await request(pair.local.port, { count: 5, parallel: 5 });
      await using target = echoTarget();
      using _open = await socks5Connect(pair.local.port, target);
      for (const { program, port } of [pair.local, pair.server]) {
        const status = await program.stop(signal);
        assertEquals(status.code, 0, program.output);
        assertEquals(status.signal, null);
        assertEquals(await isListening(port), false);
      }
    });
  }
}

for (
  const event_loop of POLLERS
) {
  Deno.test(`both roles exit 1 over ${event_loop} when the port is in use`, async () => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr as Deno.NetAddr;
    const results = [
      await runRole("sslocal", {
        config: { ...LOCAL, local_port: port, event_loop },
      }),
      await runRole("ssserver", {
        config: { ...SERVER, server_port: port, event_loop },
      }),
    ];
    for (const result of results) {
      assertEquals(result.code, 1, result.output);
      assertComplaint(result, new RegExp(`\\b${port}\\b`));
    }
  });
}

/** What a user may get wrong. */
const MISTAKES: readonly {
  readonly name: string;
  readonly role: TestedRole;
  readonly options: RoleOptions;
  readonly code: number;
  readonly complaint: RegExp;
}[] = [
  {
    name: "the method is unknown",
    role: "sslocal",
    options: { config: { ...LOCAL, method: "aes-256-gmc" } },
    code: 1,
    complaint: /aes-256-gmc/,
  },
  {
    name: "the file has an unknown key",
    role: "ssserver",
    options: { config: { ...SERVER, pasword: "x" } },
    code: 1,
    complaint: /pasword.*password/,
  },
  {
    name: "the file does not exist",
    role: "ssserver",
    options: { args: ["-c", "nowhere.toml"] },
    code: 1,
    complaint: /nowhere\.toml/,
  },
  {
    name: "the password is missing",
    role: "sslocal",
    options: { args: ["-s", "127.0.0.1", "-p", "8388"] },
    code: 2,
    complaint: /password/,
  },
  {
    name: "an option is unknown",
    role: "sslocal",
    options: { config: LOCAL, args: ["--no-such-option"] },
    code: 2,
    complaint: /no-such-option/,
  },
  {
    name: "the library that the user named is missing",
    role: "ssserver",
    options: { config: SERVER, args: ["--libopenssl=/nowhere/libcrypto.so"] },
    code: 1,
    complaint: /\/nowhere\/libcrypto\.so/,
  },
];

for (const { name, role, options, code, complaint } of MISTAKES) {
  Deno.test(`${role} exits ${code} when ${name}`, async () => {
    const result = await runRole(role, options);
    assertEquals(result.code, code, result.output);
    assertComplaint(result, complaint);
    assert(!result.output.includes(PASSWORD), "the password was printed");
  });
}

Deno.test("sslocal --check exits 0 when the file is right", async () => {
  const result = await runRole("sslocal", { config: LOCAL, args: ["--check"] });
  assertEquals(result.code, 0, result.output);
});

Deno.test("sslocal --check reports every error when the file has several", async () => {
  const result = await runRole("sslocal", {
    config: { ...LOCAL, method: "aes-256-gmc", timeout: "soon", lokal_port: 1 },
    args: ["--check"],
  });
  assertEquals(result.code, 1, result.output);
  for (const word of [/aes-256-gmc/, /timeout/, /lokal_port/]) {
    assertMatch(result.output, word);
  }
});

for (const role of ["sslocal", "ssserver"] as const) {
  Deno.test(`${role} --version prints the version`, async () => {
    const result = await runRole(role, { args: ["--version"] });
    assertEquals(result.code, 0, result.output);
    assert(result.output.includes(denoJson.version), result.output);
  });

  Deno.test(`${role} --help names its options`, async () => {
    const result = await runRole(role, { args: ["--help"] });
    assertEquals(result.code, 0, result.output);
    for (const option of ["--config", "--event-loop", "--check"]) {
      assert(result.output.includes(option), `${option} is not in the help`);
    }
  });
}

Deno.test("demo --once exits 0 when everything is verified", async () => {
  const result = await runRole("demo", { args: ["--once"] });
  assertEquals(result.code, 0, result.output);
  assertMatch(result.output, /ss:\/\//);
  // Nothing serves any more.
  assert(!result.output.includes("curl "), result.output);
});

if (EXECUTABLE === undefined) {
  Deno.test("sslocal says in one sentence that no library is here", async () => {
    await using local = await spawnRole("sslocal", {
      config: LOCAL,
      libraries: "none",
    });
    await local.program.waitFor(/native librar.*\n/);
    const about = local.program.lines.filter((line) => /librar/.test(line));
    assertEquals(about.length, 1, local.program.output);
    assert(about[0]!.length < 150, about[0]);
  });

  Deno.test("demo --once exits 0 when there is no native library", async () => {
    const result = await runRole("demo", {
      args: ["--once"],
      libraries: "none",
    });
    assertEquals(result.code, 0, result.output);
    assertMatch(result.output, /portable/i);
  });
}

/** One line for the user, and none for the developer. */
function assertComplaint({ output, lines }: RoleResult, pattern: RegExp): void {
  assertMatch(output, pattern);
  assert(!/^\s+at .*:\d+:\d+/m.test(output), `a stack trace:\n${output}`);
  const complaints = lines.filter((line) =>
    !/ (INFO|WARNING) /.test(line) && !/^(INFO|WARNING|warning):/.test(line)
  );
  assertEquals(complaints.length, 1, output);
}

if (Deno.build.os === "linux") {
  for (const workers of [1, 2]) {
    Deno.test(`ssserver goes on when its folder is removed (workers=${workers})`, async () => {
      await using server = await spawnRole("ssserver", {
        config: { ...SERVER, workers },
        args: ["-v"],
      });
      const { program, port } = server;
      if (workers > 1) await program.waitFor(/(?:worker started[^]*){2}/);
      const folder = await Deno.readLink(`/proc/${program.pid}/cwd`);
      await Deno.remove(folder, { recursive: true });
      try {
        // The last thing that is loaded: what looks after the memory.
        await program.waitFor(/DEBUG +memory: /);
        assert(await isListening(port), program.output);
        assertEquals((await program.stop()).code, 0, program.output);
      } finally {
        await Deno.mkdir(folder);
      }
    });
  }
}
