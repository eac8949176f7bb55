/**
 * Configuration files of every dialect, command lines, links, ACL files and
 * requests to the manager.
 *
 * @module
 */

import { GOOD_FILES } from "../../config/_good_files_fixture.ts";
import { read } from "../../config/_test_fixture.ts";
import { formatHostPort } from "../../loop/mod.ts";
import type { ConfigResult, Role } from "../../config/mod.ts";
import { configForPort } from "../../config/port_config.ts";
import { parseRequest } from "../../control/manager_request.ts";
import { parseAcl } from "../../outbound/acl/mod.ts";
import { canonicalHost } from "../../outbound/acl/_host_name.ts";
import { hostileRequests } from "../control/_hostile_requests_fixture.ts";
import { makeConfig, text, utf8 } from "../support/mod.ts";
import type { Choices } from "./_choices.ts";
import { type FuzzTarget, promise } from "./_target.ts";
import { mutateText } from "./_text.ts";

/** The secret of every file here. */
const SECRET = "correct horse battery";
const CHANGES = [0, 1, 1, 2, 3, 6];

/** Other programs' files, and what is no file of settings. */
const FOREIGN = [
  `{"log":{},"dns":{},"inbounds":[{"type":"mixed"}],"outbounds":[]}`,
  `{"inbounds":[{"protocol":"socks"}],"outbounds":[{"password":"${SECRET}"}]}`,
  `{"run_type":"client","password":["${SECRET}"]}`,
  `{"configs":[{"server":"h","password":"${SECRET}"}],"index":0}`,
  `[{"server":"h","password":"${SECRET}"}]`,
  `mixed-port: 7890\nproxies:\n  - name: x\n    password: ${SECRET}\n`,
  `ss://${btoa(`aes-256-gcm:${SECRET}`)}@192.0.2.1:8388\n`,
].map((text) => ({ path: "a.json", role: "sslocal" as Role, text }));
const FILES = [...GOOD_FILES, ...FOREIGN];

/** What means something in a file. */
const CONFIG_WORDS = [
  '"',
  "'",
  "=",
  ":",
  ",",
  "{",
  "}",
  "[",
  "]",
  "[[servers]]\n",
  "[[locals]]\n",
  "[[groups]]\n",
  "\n",
  "\r",
  "\0",
  "\u001b[2J",
  "\ufeff",
  "#",
  "//",
  "/*",
  "\\",
  "\\u0000",
  "\\ud800",
  '"""',
  "null",
  "true",
  "-1",
  "0",
  "65536",
  "1e999",
  "99999999999999999999",
  "0x1F",
  "1979-05-27",
  "nan",
  '"server_port": ',
  '"__proto__": {"method": 1},',
  '"constructor": 1,',
  "password = ",
  "::1",
  "1.2.3.4/33",
  "ä",
  "[".repeat(500),
  '{"a":'.repeat(500),
];

const ACL_WORDS = [
  "[bypass_list]\n",
  "[proxy_list]\n",
  "[outbound_block_list]\n",
  "[bypass_all]\n",
  "||",
  "|",
  "#",
  "(^|\\.)",
  "(a+)+$",
  "(a|aa)+b",
  "(?:",
  ".*",
  "[a-z]{1,50}",
  "\\d",
  "(?=x)",
  "\\1",
  "10.0.0.0/8\n",
  "::/0\n",
  "1.2.3.4/99\n",
  "xn--",
  "\n",
  "\0",
  "{1000}",
];

const ACL = "[bypass_all]\n[proxy_list]\n||example.com\n|a.example\n" +
  "(^|\\.)ads?\\.example\\.net$\n10.0.0.0/8\n2001:db8::/32\n" +
  "[outbound_block_list]\n||internal\n192.168.0.0/16\n^x[0-9]+\\.example$\n";

const LINK_WORDS = [
  "@",
  ":",
  "/",
  "?",
  "#",
  "%",
  "%00",
  "%0a",
  "%ff",
  "[",
  "]",
  "plugin=obfs",
  "ss://",
  "=",
  "\n",
  "65536",
];

/** Targets of texts. */
export const CONFIG_TARGETS: readonly FuzzTarget[] = [
  { name: "config files", open: () => ({ run: file }) },
  { name: "command line", open: () => ({ run: commandLine }) },
  { name: "links", open: () => ({ run: link }) },
  { name: "acl", open: () => ({ run: acl }) },
  { name: "manager requests", open: openManager },
];

async function file(choices: Choices): Promise<void> {
  const good = choices.pick(FILES);
  const changes = choices.pick(CHANGES);
  const changed = mutateText(good.text, choices, CONFIG_WORDS, changes);
  const path = choices.pick([good.path, good.path, "x.toml", "x.json", "x"]);
  const files = "files" in good ? good.files : {};
  const result = await read(`-c ${path}`, {
    role: choices.once(6) ? choices.pick(["ssserver", "sslocal"]) : good.role,
    files: { ...files, [path]: changed },
  });
  judge(result);
}

async function commandLine(choices: Choices): Promise<void> {
  const words = [
    "-s",
    "192.0.2.1",
    "-p",
    "8388",
    "-k",
    SECRET.replaceAll(" ", "_"),
    "-m",
    "aes-256-gcm",
    "-l",
    "1080",
    "-t",
    "60",
    "--fast-open",
    "-v",
    "--mode",
    "tcp_only",
  ];
  const line = words.join(" ");
  const changed = mutateText(line, choices, [
    ...CONFIG_WORDS,
    ...words,
    "-",
    "--",
    "-c ",
    "--check",
    "--server-url ss://",
    "--manager-address ",
    "--workers 9999",
  ], choices.pick(CHANGES));
  judge(await read(changed, { role: choices.pick(["sslocal", "ssserver"]) }));
}

async function link(choices: Choices): Promise<void> {
  const method = choices.pick(["aes-256-gcm", "rc4-md5", "chacha20-ietf"]);
  const password = choices.text(1 + choices.below(30));
  const host = choices.pick(["192.0.2.1", "example.com", "2001:db8::1"]);
  const port = 1 + choices.below(65_535);
  const address = formatHostPort({ host, port });
  const changes = choices.pick(CHANGES);
  const encode = (plain: string): string =>
    btoa(plain).replaceAll(choices.pick([/$^/g, /=+$/g]), "");
  const plain = `${method}:${password}`;
  const end = choices.pick(["", "#tag"]);
  const whole = choices.pick([
    `ss://${encode(plain)}@${address}/?x=y${end}`,
    `ss://${encode(plain)}@${address}${end}`,
    `ss://${method}:${encodeURIComponent(password)}@${address}${end}`,
    `ss://${encode(`${plain}@${address}`)}${end}`,
  ]);
  const changed = mutateText(whole, choices, LINK_WORDS, changes);
  const result = await read(changed.replaceAll(" ", "_"), { role: "sslocal" });
  judge(result);
  if (changes > 0) return;
  const server = result.kind === "config"
    ? result.config.servers[0]
    : undefined;
  promise(
    server?.method === method && server.password === password &&
      server.host === host && server.port === port,
    "a link means what was written",
  );
}

/** What holds for every result. */
function judge(result: ConfigResult): void {
  if (!("messages" in result)) return;
  const lines = result.kind === "error"
    ? result.messages
    : [...result.messages, ...result.warnings];
  if (result.kind === "error") {
    promise(
      result.messages.some(({ level }) => level === "error"),
      "who is refused is told why",
    );
    promise(result.exitCode === 1 || result.exitCode === 2, "it exits 1 or 2");
  }
  for (const { text: line } of lines) {
    promise(
      // deno-lint-ignore no-control-regex -- controls are what is looked for
      !/[\0-\x1f\x7f-\x9f\u2028\u2029]/.test(line),
      `a message is one line of visible characters: ${JSON.stringify(line)}`,
    );
    promise(!line.includes(SECRET), `a message has no secret: ${line}`);
    promise(line.length < 6000, `a message is short: ${line.length}`);
  }
}

function acl(choices: Choices): void {
  const changes = choices.pick(CHANGES);
  const changed = mutateText(ACL, choices, ACL_WORDS, changes);
  const reading = parseAcl(changed, "test.acl");
  if ("problems" in reading) {
    promise(
      reading.problems.length > 0 &&
        reading.problems.every(({ line }) =>
          line >= 1 && line <= changed.split("\n").length
        ),
      "a problem is in one of the lines",
    );
    promise(changes > 0, "a good file is read");
    return;
  }
  for (let i = 0; i < 3; i++) {
    const name = choices.pick([
      "www.example.com",
      "ads.example.net",
      `${"a".repeat(choices.below(250))}!`,
      "x".repeat(255),
      text(choices.bytes(choices.below(64))),
    ]);
    const host = canonicalHost(name);
    const { acl } = reading;
    acl.routeOfName(host);
    acl.outboundOfName(host);
    const address = choices.bytes(choices.pick([4, 16]));
    acl.routeOfAddress(address);
    acl.outboundOfAddress(address);
  }
}

function openManager(): { readonly run: (choices: Choices) => void } {
  const base = makeConfig("ssserver", { serverPort: [8388] });
  const requests = [
    ...hostileRequests(200, 8388),
    'add: {"server_port":8001,"password":"x"}',
    'remove: {"server_port":8001}',
    "ping",
    "list",
  ].map((request) => typeof request === "string" ? utf8(request) : request);
  return {
    run: (choices): void => {
      const original = choices.pick(requests);
      const isText = choices.below(2) === 0;
      const times = choices.pick(CHANGES);
      const changed = isText
        ? utf8(mutateText(text(original), choices, CONFIG_WORDS, times))
        : choices.mutated(original, times);
      const dialect = choices.pick(["python", "libev"] as const);
      const request = parseRequest(changed, dialect);
      if (request.kind === "invalid") {
        promise(request.reason !== "", "who is refused is told why");
      }
      if (request.kind === "remove") {
        promise(
          Number.isInteger(request.port) && request.port > 0 &&
            request.port <= 65_535,
          "a port that is removed is one",
        );
      }
      if (request.kind !== "add") return;
      const result = configForPort(base, request.json);
      if (result.kind === "error") {
        promise(result.messages.length > 0, "who is refused is told why");
        return;
      }
      const { servers } = result.config;
      promise(
        servers.length > 0 &&
          servers.every(({ port, password }) =>
            port > 0 && port <= 65_535 && password !== ""
          ),
        "a port that is added is one, and has a password",
      );
    },
  };
}
