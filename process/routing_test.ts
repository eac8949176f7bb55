/**
 * Tests of the routers of a configuration.
 *
 * @module
 */

import {
  assertEquals,
  assertMatch,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import type {
  Config,
  LocalConfig,
  ServerConfig,
  TextFile,
} from "../config/mod.ts";
import { SocketAddress } from "../loop/mod.ts";
import { FakeResolver } from "../dns/fakes.ts";
import { testConfig } from "./_config_fixture.ts";
import { decisionOf, namedOutbounds, newSession } from "./_ways_fixture.ts";
import { AclFiles } from "./acl_files.ts";
import { ProcessError } from "./errors.ts";
import { Routing } from "./routing.ts";
import { DenoSource } from "./source.ts";

const OUTBOUNDS = namedOutbounds("main", "other");
const DIRECT = OUTBOUNDS.route("direct");

function acl(path: string, ...lines: readonly string[]): TextFile {
  return { path, text: lines.join("\n") };
}

/** A client whose default is `main`, with the locals that differ so. */
function client(
  locals: readonly Partial<LocalConfig>[],
  keys: Partial<Config> = {},
): Config {
  const config = testConfig("sslocal", { defaultOutbound: "main", ...keys });
  const [local] = config.locals;
  return { ...config, locals: locals.map((each) => ({ ...local!, ...each })) };
}

/** A server with the ports that differ so. */
function server(
  ports: readonly Partial<ServerConfig>[],
  keys: Partial<Config> = {},
): Config {
  const config = testConfig("ssserver", keys);
  const [port] = config.servers;
  return { ...config, servers: ports.map((each) => ({ ...port!, ...each })) };
}

/** What becomes of a host at each local. */
async function waysOf(config: Config, host: string): Promise<string[]> {
  const routing = await Routing.create(config, new FakeResolver());
  return config.locals.map((local) =>
    decisionOf(routing.forLocal(local, OUTBOUNDS), host)
  );
}

/** What becomes of a host at each port. */
async function portWaysOf(
  config: Config,
  host: string,
): Promise<string[]> {
  const routing = await Routing.create(config, new FakeResolver());
  return config.servers.map((port) =>
    decisionOf(
      routing.forServer(port, DIRECT, config.forbiddenIp),
      host,
    )
  );
}

const BAD = acl("bad.acl", "[bypass_list]", "10.0.0.0/33", "", "  1.2.3.4:80");
const WORSE = acl("dir/worse.acl", "[bypass_lst]");

Deno.test("DenoSource.checkAcl() gives line, column and message of each rule", async () => {
  const source = new DenoSource(new AclFiles());
  assertEquals(
    (await source.checkAcl(BAD, true)).map((
      { line, column },
    ) => [line, column]),
    [[2, 1], [4, 3]],
  );
  for (const { message } of await source.checkAcl(BAD, false)) {
    assertMatch(message, /^[^\n]+$/);
  }
  const good = acl("good.acl", "[bypass_list]");
  assertEquals(await source.checkAcl(good, false), []);
});

Deno.test("DenoSource.checkAcl() tells a server of rules for names of clients", async () => {
  const source = new DenoSource(new AclFiles());
  const names = acl("names.acl", "[black_list]", "||a.example");
  assertEquals(await source.checkAcl(names, true), []);
  const [only, ...others] = await source.checkAcl(names, false);
  assertEquals([only?.line, only?.isHarmless, others], [2, true, []]);
});

Deno.test("AclFiles.read() reads one object once", async () => {
  const files = new AclFiles();
  const good = acl("good.acl", "[bypass_list]", "10.0.0.0/8");
  assertStrictEquals(await files.read(good), await files.read(good));
  // Another object may be another text under the same path.
  assertNotStrictEquals(await files.read({ ...good }), await files.read(good));
});

Deno.test("Routing.create() takes the rules that the check has read", async () => {
  const files = new AclFiles();
  const file = acl("own.acl", "[bypass_list]", "||example.com");
  await new DenoSource(files).checkAcl(file, true);
  // Were the text read again it would have no rules.
  Object.assign(file, { text: "" });
  const config = client([{ acl: file }]);
  const routing = await Routing.create(config, new FakeResolver(), files);
  const way = decisionOf(
    routing.forLocal(config.locals[0]!, OUTBOUNDS),
    "example.com",
  );
  assertEquals(way, "direct");
});

Deno.test("Routing.create() throws with a line for each rule that cannot be read, each path once", async () => {
  const config = server([{ acl: WORSE }, { acl: BAD }], { acl: BAD });
  const error = await assertRejects(
    () => Routing.create(config, new FakeResolver()),
    ProcessError,
  );
  assertEquals(
    error.message.split("\n").map((line: string) => line.split(" ")[0]),
    ["bad.acl:2:1:", "bad.acl:4:3:", "dir/worse.acl:1:1:"],
  );
});

Deno.test("Routing.forLocal() sends everything by the default when there are no rules", async () => {
  assertEquals(await waysOf(client([{}]), "10.0.0.1"), ["main"]);
});

Deno.test("Routing.forLocal() takes each local's own outbound", async () => {
  const config = client([{}, { outbound: "other" }, { outbound: "direct" }]);
  assertEquals(await waysOf(config, "example.com"), [
    "main",
    "other",
    "direct",
  ]);
});

Deno.test("Routing.forLocal() takes a local's own rules, else those of the configuration", async () => {
  const common = acl("common.acl", "[bypass_list]", "||example.com");
  const own = acl("own.acl", "[outbound_block_list]", "||example.com");
  const none = acl("none.acl", "");
  const config = client([
    {},
    { acl: own },
    { acl: none, outbound: "other" },
  ], { acl: common });
  assertEquals(await waysOf(config, "www.example.com"), [
    "direct",
    "blocked by ||example.com",
    "other",
  ]);
});

Deno.test("Routing.forServer() sends everything directly unless a rule forbids it", async () => {
  const common = acl("common.acl", "[outbound_block_list]", "10.0.0.0/8");
  const own = acl("own.acl", "[outbound_block_list]", "|example.com");
  const config = server([{}, { acl: own }], { acl: common });
  assertEquals(await portWaysOf(config, "10.0.0.1"), [
    "blocked by 10.0.0.0/8",
    "direct",
  ]);
  assertEquals(await portWaysOf(config, "example.com"), [
    "direct",
    "blocked by |example.com",
  ]);
});

Deno.test("Routing.forServer() refuses clients by the rules of the port", async () => {
  const own = acl("own.acl", "[black_list]", "192.0.2.0/24");
  const config = server([{}, { acl: own }]);
  const routing = await Routing.create(config, new FakeResolver());
  const answers = config.servers.map((port) =>
    routing.forServer(port, DIRECT, []).refusesClient(
      SocketAddress.parse("192.0.2.7", 4000),
    )
  );
  assertEquals(answers, [undefined, "192.0.2.0/24"]);
});

Deno.test("Routing.forServer() forbids the networks of the port, which may differ", async () => {
  const config = server([{}], { forbiddenIp: ["10.0.0.0/8"] });
  const routing = await Routing.create(config, new FakeResolver());
  const [port] = config.servers;
  const rules = [config.forbiddenIp, ["192.168.0.0/16"], []].map(
    (forbidden) => {
      const router = routing.forServer(port!, DIRECT, forbidden);
      return ["10.1.1.1", "192.168.1.1"].map((ip) =>
        router.forbids(SocketAddress.parse(ip, 80), newSession())
      );
    },
  );
  assertEquals(rules, [
    ["forbidden_ip 10.0.0.0/8", undefined],
    [undefined, "forbidden_ip 192.168.0.0/16"],
    [undefined, undefined],
  ]);
});
