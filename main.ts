/**
 * The program: takes its role from its own name or its first argument, reads
 * the configuration, runs the role, and ends with its exit code.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import {
  formatNotice,
  isRole,
  type Notice,
  readConfig,
  setUpLog,
} from "./config/mod.ts";
import {
  AclFiles,
  DenoSource,
  isDaemon,
  launch,
  LogFile,
  programName,
} from "./process/mod.ts";

const logger = getLogger(["shadowsocks"]);

/** The role and its arguments. */
function parseRole(): readonly [string | undefined, readonly string[]] {
  const name = programName();
  if (isRole(name) && !isDaemon()) return [name, Deno.args];
  const [first, ...rest] = Deno.args;
  return [first, rest];
}

async function main(): Promise<number> {
  await using output = new LogFile();
  return await act(output);
}

async function act(output: LogFile): Promise<number> {
  const [role, args] = parseRole();
  const write = (text: string): void => output.write(text);
  if (role === "demo") {
    const { runDemo } = await import("./demo/mod.ts");
    const live = Deno.stdout.isTerminal();
    const columns = live ? Deno.consoleSize().columns : undefined;
    return await runDemo({ args, write, live, columns });
  }
  if (role === "schema" && args.length === 0) {
    const { configSchema } = await import("./config/schema.ts");
    write(`${JSON.stringify(configSchema(), undefined, 2)}\n`);
    await output.flush();
    return 0;
  }
  if (!isRole(role)) {
    const { answerWithoutRole } = await import("./config/no_role.ts");
    const { text, isAside, exitCode } = answerWithoutRole(role, args);
    if (isAside) Deno.stderr.writeSync(new TextEncoder().encode(text));
    else write(text);
    await output.flush();
    return exitCode;
  }
  const acls = new AclFiles();
  const source = new DenoSource(acls);
  const result = await readConfig(args, { role, source });
  const show = (notices: readonly Notice[]): void => {
    for (const notice of notices) write(formatNotice(notice, Date.now()));
  };
  switch (result.kind) {
    case "help":
    case "version":
      write(result.text);
      await output.flush();
      return 0;
    case "error":
      write(result.usage ?? "");
      show(result.messages);
      await output.flush();
      return result.exitCode;
    case "checked":
      show([...result.messages, ...result.warnings]);
      write("the configuration is valid\n");
      await output.flush();
      return 0;
    case "config": {
      const limiter = setUpLog(output, result.config);
      // Whoever starts a daemon has shown them.
      if (!isDaemon()) {
        show(result.messages);
        for (const { level, text } of result.warnings) {
          if (level === "info") logger.info("{text}", { text });
          else logger.warn("{text}", { text });
        }
      }
      return await launch(result.config, {
        args,
        output,
        acls,
        onPeriodic: () => limiter.flush(),
      });
    }
    default:
      return result satisfies never;
  }
}

if (import.meta.main) Deno.exit(await main());
