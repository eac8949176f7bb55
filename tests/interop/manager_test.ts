/**
 * Our manager and `ss-manager` of shadowsocks-libev, driven by one script.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  ChildProgram,
  echoTarget,
  freePort,
  isListening,
  ManagerClient,
  type ManagerPlace,
  parseStat,
  readExactly,
  seededBytes,
  socks5Connect,
  spawnRole,
  withTimeout,
  writeAll,
} from "../support/mod.ts";

const PASSWORD = "correct horse battery staple";
const METHOD = "aes-256-gcm";
const OTHER_METHOD = "chacha20-ietf-poly1305";
/** Milliseconds between two looks at what takes a while. */
const PAUSE = 50;

/** A manager that speaks libev's dialect. */
interface Subject extends AsyncDisposable {
  readonly place: ManagerPlace;
}

type Spawn = (place: ManagerPlace, folder: string) => Promise<Subject>;

async function spawnOurs(place: ManagerPlace): Promise<Subject> {
  const role = await spawnRole("ssmanager", {
    config: {
      server: "127.0.0.1",
      method: METHOD,
      forbidden_ip: "",
      manager_dialect: "libev",
      manager_address: addressOf(place),
    },
  });
  return {
    place,
    [Symbol.asyncDispose]: () => role[Symbol.asyncDispose](),
  };
}

function spawnTheirs(place: ManagerPlace, folder: string): Promise<Subject> {
  let program: ChildProgram;
  try {
    program = new ChildProgram("ss-manager", {
      args: [
        ...["--manager-address", addressOf(place)],
        ...["--executable", "ss-server", "-D", folder],
        ...["-s", "127.0.0.1", "-m", METHOD, "-t", "60", "-u"],
      ],
    });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(
      "Cannot start ss-manager: it is not on PATH; install shadowsocks-libev",
    );
  }
  return Promise.resolve({
    place,
    async [Symbol.asyncDispose](): Promise<void> {
      await program[Symbol.asyncDispose]();
      await endServers(folder);
    },
  });
}

/** Ends the servers that a manager has left, if the test failed. */
async function endServers(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".pid")) continue;
    const pid = Number(await Deno.readTextFile(`${folder}/${name}`));
    const command = await Deno.readTextFile(`/proc/${pid}/comm`)
      .catch(() => "");
    if (command.trim() === "ss-server") Deno.kill(pid, "SIGTERM");
  }
}

function addressOf(place: ManagerPlace): string {
  return typeof place === "string" ? place : `127.0.0.1:${place}`;
}

/** Looks until something is there. */
async function until<T>(
  look: () => Promise<T | undefined>,
  what: string,
): Promise<T> {
  let isLate = false;
  const search = async (): Promise<T> => {
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (isLate) throw new Error(`Cannot see ${what}`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  };
  return await withTimeout(search(), what).finally(() => isLate = true);
}

/** An answer with ports by their names, and without passwords. */
function plain(answer: string, names: ReadonlyMap<number, string>): unknown {
  let text = answer;
  for (const [port, name] of names) text = text.replaceAll(`${port}`, name);
  if (text.startsWith("stat: ")) return { stat: JSON.parse(text.slice(6)) };
  if (!text.startsWith("[")) return text;
  const entries = JSON.parse(text) as Record<string, unknown>[];
  return entries
    .map(({ password: _, ...rest }) => rest)
    .sort((a, b) => `${a.server_port}` < `${b.server_port}` ? -1 : 1);
}

/** Asks until a manager answers: what it was asked too early is lost. */
async function isUp(place: ManagerPlace): Promise<void> {
  using client = new ManagerClient(place);
  if (typeof place === "string") {
    await until(() => client.ask("ping").catch(() => undefined), "an answer");
    return;
  }
  const timer = setInterval(() => void client.send("ping"), PAUSE);
  try {
    assertEquals(await client.receive(), "stat: {}");
  } finally {
    clearInterval(timer);
  }
}

/** What a client of a manager does; returns what it was told. */
async function script(subject: Subject): Promise<readonly unknown[]> {
  await isUp(subject.place);
  using client = new ManagerClient(subject.place);
  const [one, two] = [freePort(), freePort()];
  const names = new Map([[one, "ONE"], [two, "TWO"]]);
  const told: unknown[] = [];
  const say = async (request: string): Promise<void> => {
    told.push(plain(await client.ask(request), names));
  };
  const add = (port: number, keys: Record<string, unknown> = {}): string =>
    `add: ${
      JSON.stringify({ server_port: port, password: PASSWORD, ...keys })
    }`;
  await say("ping");
  await say("list");
  await say(add(one));
  await say(add(two, { method: OTHER_METHOD, server_port: `${two}` }));
  for (const port of [one, two]) {
    await until(async () => await isListening(port) || undefined, "a port");
  }
  await say("list");
  await say("ping");
  await say("add: {bad");
  await say("add: {}");
  await say('remove: {"x":1}');

  await using target = echoTarget();
  for (const [port, method] of [[one, METHOD], [two, OTHER_METHOD]] as const) {
    await using local = await spawnRole("sslocal", {
      config: {
        server: "127.0.0.1",
        server_port: port,
        local_address: "127.0.0.1",
        local_port: 0,
        password: PASSWORD,
        method,
      },
    });
    using conn = await socks5Connect(local.port, target);
    const data = seededBytes(1000, port);
    await writeAll(conn, data);
    assertEquals(await readExactly(conn, data.length), data);
  }
  const counts = await until(async () => {
    const stat = parseStat(await client.ask("ping"));
    return (stat[one] ?? 0) > 0 && (stat[two] ?? 0) > 0 ? stat : undefined;
  }, "the traffic");
  told.push({ one: counts[one], two: counts[two] });

  for (const port of [one, two]) {
    await say(`remove: {"server_port":${port}}`);
    await until(
      async () => await isListening(port) ? undefined : true,
      "an end",
    );
  }
  await say(`remove: {"server_port":${one}}`);
  await say("list");
  await say("ping");
  return told;
}

for (const transport of ["udp", "unix"] as const) {
  Deno.test(`ssmanager answers what ss-manager answers (${transport})`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "ss-interop-" });
    try {
      const told: (readonly unknown[])[] = [];
      for (const spawn of [spawnOurs, spawnTheirs] satisfies Spawn[]) {
        const place = transport === "unix" ? `${folder}/m` : freePort();
        await using subject = await spawn(place, folder);
        told.push(await script(subject));
      }
      const [ours, theirs] = told;
      assertEquals(ours, theirs);
      assert(ours!.length > 10);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
