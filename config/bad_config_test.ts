/**
 * Files that are refused: each with one line that names key and place, and
 * without the secret in it.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { read, readIssues } from "./_test_fixture.ts";
import { formatNotice } from "./logging.ts";

/** Every secret in the table; none may be printed. */
const SECRET = "hunter2-hunter2";

/**
 * An entry that replaces the one of the same key, or is added; the place and
 * words of the message; the exit code.
 */
type Row = readonly [entry: string, words: string, exitCode?: 1 | 2];

/** In a server's JSON file. */
const SERVER: readonly Row[] = [
  ['"server_port": 65536', '4:20: "server_port" is 65536: expected a port'],
  ['"server_port": -1', '4:20: "server_port" is -1: expected a port'],
  ['"server_port": 1.5', '4:20: "server_port" is 1.5: expected a port'],
  ['"server_port": "abc"', '4:20: "server_port" is "abc": expected a port'],
  ['"server_port": ""', '4:20: "server_port" is "": expected a port'],
  ['"server_port": []', '4:20: "server_port" is a list: expected a list'],
  ['"server_port": [1, -1]', '4:24: "server_port"[1] is -1: expected a port'],
  ['"server_port": true', '4:20: "server_port" is true: expected a port'],
  ['"server_port": {}', '4:20: "server_port" is a table of values: expected'],
  ['"server": ""', '4:15: "server" is "": expected an IP address'],
  ['"server": 5', '4:15: "server" is 5: expected an IP address'],
  ['"server": "300.1.1.1"', '"server" is "300.1.1.1": expected an IP'],
  ['"server": "1.2.3"', '4:15: "server" is "1.2.3": expected'],
  ['"server": "::g"', '4:15: "server" is "::g": expected'],
  ['"server": "a b"', '4:15: "server" is "a b": expected'],
  ['"server": "a\\n"', '4:15: "server" is "a\\n": expected'],
  ['"server": "h:80"', '4:15: "server" is "h:80": expected'],
  ['"server": []', '4:15: "server" is a list: expected a list'],
  ['"server": ["::", null]', '4:22: "server"[1] is null: expected'],
  ['"password": 12345678', '2:5: "password" is a number: expected a text'],
  ['"password": ""', '"password" is a text of 0 characters: expected'],
  [`"password": ["${SECRET}"]`, '2:5: "password" is a list: expected'],
  ['"password": "mypassword"', "DON'T USE DEFAULT PASSWORD!"],
  [`"pasword": "${SECRET}"`, 'Unknown key "pasword": did you mean "password"?'],
  ['"method": "aes-256-gcn"', "4:15: method aes-256-gcn not supported; did"],
  ['"method": "2022-blake3"', "not supported; those of 2022 are 2022-blake3-"],
  [`"method": "${SECRET}"`, "method a text of "],
  ['"method": "none"', "4:15: method none not supported; "],
  ['"method": ""', "4:15: method  not supported"],
  ['"method": 256', '4:15: "method" is 256: expected the name'],
  ['"timeout": 0', '4:16: "timeout" is 0: expected seconds'],
  ['"timeout": -5', '4:16: "timeout" is -5: expected seconds'],
  ['"timeout": "soon"', '4:16: "timeout" is "soon": expected seconds'],
  ['"timeout": 1e99', '4:16: "timeout" is 1e+99: expected seconds'],
  ['"port_password": {}', '"port_password" is a table of values: expected'],
  ['"port_password": []', '"port_password" is a list: expected passwords'],
  [`"port_password": {"1": ""}`, '4:23: "port_password" is a text of 0'],
  [`"port_password": {"1": 5}`, '4:23: "port_password" is a number: expected'],
  [`"port_password": {"${SECRET}": "1"}`, '4:23: "port_password" is a text of'],
  [`"port_password": {"0": "${SECRET}"}`, '4:23: "port_password" is a text of'],
  ['"port_password": {"1": "mypassword"}', "4:28: DON'T USE DEFAULT"],
  ['"fast_open": "yes"', '4:18: "fast_open" is "yes": expected true or'],
  ['"fast_open": 1', '4:18: "fast_open" is 1: expected true or false'],
  ['"one_time_auth": "x"', '"one_time_auth" is "x": expected true or'],
  ['"prefer_ipv6": []', '"prefer_ipv6" is a list: expected true or'],
  ['"workers": 0', '4:16: "workers" is 0: expected a whole number from 1'],
  ['"workers": 1.5', '4:16: "workers" is 1.5: expected a whole number'],
  ['"workers": 9999', '4:16: "workers" is 9999: expected a whole number'],
  ['"mode": "both"', '4:13: "mode" is "both": expected one of tcp_only'],
  ['"event_loop": "kqueue"', '"event_loop" is "kqueue": expected one of'],
  ['"udp_max_associations": 0', '"udp_max_associations" is 0: expected'],
  ['"timeout": 0.9', '4:16: "timeout" is 0.9: expected seconds, at least 1'],
  ['"udp_timeout": 0', '"udp_timeout" is 0: expected seconds, at least 1'],
  ['"verbose": "loud"', '4:16: "verbose" is "loud": expected true'],
  ['"verbose": 0.5', '4:16: "verbose" is 0.5: expected true'],
  ['"forbidden_ip": "10.0.0.0/33"', "CIDR notation: 10.0.0.0/33", 2],
  ['"forbidden_ip": ["x"]', "4:21: Not a valid CIDR notation: x", 2],
  ['"forbidden_ip": 10', '"forbidden_ip" is 10: expected networks'],
  ['"forbidden_ip": [10]', '"forbidden_ip" is a list: expected networks'],
  ['"dns_server": "dns.google"', '"dns_server" is "dns.google": expected'],
  ['"dns_server": ["::1", 5]', '4:27: "dns_server"[1] is 5: expected'],
  ['"dns_server": "1.1.1.1:0"', '"dns_server" is "1.1.1.1:0": expected'],
  ['"dns_server": []', '"dns_server" is a list: expected a list'],
  ['"manager_address": "h:0"', '"manager_address" is "h:0": expected'],
  ['"manager_address": "::1:6001x"', '"manager_address" is "::1:6001x"'],
  ['"manager_address": ""', '"manager_address" is "": expected host:port'],
  ['"manager_address": "127.0.0.1"', "4:24: manager port not specified", 2],
  ['"manager_dialect": "go"', '"manager_dialect" is "go": expected one of'],
  ['"user": ""', '4:13: "user" is "": expected a name'],
  ['"user": "a\\u0000b"', '4:13: "user" is "a\\u0000b": expected a name'],
  ['"daemon": "run"', "4:15: unsupported daemon command run"],
  ['"daemon": true', '4:15: "daemon" is true: expected one of start'],
  ['"pid-file": 5', '4:17: "pid-file" is 5: expected a name'],
  ['"pid-file": "a", "pid_file": "b"', '"pid_file" is given twice, first as'],
  ['"local_port": "1080x"', '4:19: "local_port" is "1080x": expected'],
  ['"local_address": 127', '"local_address" is 127: expected an IP'],
  ['"tunnel_port": -1', '4:20: "tunnel_port" is -1: expected a port'],
  ['"tunnel_remote_port": 0', '"tunnel_remote_port" is 0: expected a port'],
  ['"tunnel_remote": ""', '"tunnel_remote" is "": expected an IP'],
  ['"tunnel_address": "h"', '"tunnel_address" is "h": expected host:port'],
  ['"libopenssl": 3', '4:19: "libopenssl" is 3: expected a name'],
  ['"sever_port": 1', '4:5: Unknown key "sever_port": did you mean "server'],
  ['"localPort": 1', '4:5: Unknown key "localPort": did you mean "local_'],
  ['"frobnicate": 1', '4:5: Unknown key "frobnicate"'],
  ['"a\\u001b[31m": 1', '4:5: Unknown key "a\\u001b[31m"'],
  ['"mode": "udp_only", "mode": 1', '4:25: "mode" is given twice'],
  ['"mode": tcp_only', "4:13: expected a value (text needs double quotes)"],
  [`"password": ${SECRET}`, "expected a value (text needs double quotes)"],
  [`"password": "${SECRET}`, "string has no closing quote"],
  ['"x" "y"', '4:9: expected ":" after the key, found a quote'],
];

for (const [entry, words, exitCode = 1] of SERVER) {
  Deno.test(`readConfig() refuses a file with ${entry}`, async () => {
    const replaced = /^"password"/.test(entry);
    const first = replaced ? entry : `"password": "${SECRET}"`;
    const text = `{\n    ${first},\n    "method": "aes-256-gcm"` +
      `${replaced ? "" : `,\n    ${entry}`}\n}`;
    const once = entry.startsWith('"method"')
      ? text.replace('"method": "aes-256-gcm",', "")
      : text;
    await check({ text: once, path: "ss.json", words, exitCode });
  });
}

/** Whole texts. */
const TEXTS: readonly (readonly [path: string, text: string, words: string])[] =
  [
    ["ss.json", "[]", 'ss.json:1:1: this is a list: write { "servers"'],
    ["ss.json", "null", "ss.json:1:1: expected the keys of a configuration"],
    ["ss.json", `"${SECRET}"`, "ss.json:1:1: expected the keys"],
    ["ss.json", `{"password": "${SECRET}"`, 'expected "," or "}", found'],
    ["ss.json", `password = "${SECRET}"`, "ss.json:1:1: expected a value"],
    ["ss.json", `\ufffd\ufffd`, "ss.json:1:1: expected UTF-8"],
    ["ss.json", "{".repeat(50_000), "ss.json:1:2: expected a key in quotes"],
    ["ss.json", " ".repeat(2 ** 20 + 1), "Cannot read config ss.json: it is"],
    ["ss.toml", `password = ${SECRET}`, "ss.toml:1:12: expected a value"],
    ["ss.toml", `password = "${SECRET}`, "ss.toml:1:12: string has no"],
    [
      "ss.toml",
      `password = "${SECRET}\nmethod = "x"`,
      "ss.toml:1:12: string has no closing quote",
    ],
    ["ss.toml", 'mode = "a\x01"\n', "ss.toml:1:10: control character"],
    ["ss.toml", "server = 127.0.0.1", "ss.toml:1:10: expected a number: text"],
    ["ss.toml", "server = [127.0.0.1]", "ss.toml:1:11: expected a number: t"],
    ["ss.toml", "server_port = 08388", "1:15: a number has no leading zero"],
    ["ss.json", '{"server": 127.0.0.1}', "1:12: expected a number: text"],
    ["ss.json", '{"server_port": 08388}', "1:17: a number has no leading"],
    ["ss.toml", `mode = 'a\r\n`, "ss.toml:1:8: string has no closing"],
    ["ss.toml", "timeout 300\n", 'ss.toml:1:9: expected "=" after the key'],
    [
      "ss.conf",
      "server: 127.0.0.1\n",
      'ss.conf:1:7: this looks like YAML: expected "=" after',
    ],
    ["ss.toml", "fast_open = True\n", "ss.toml:1:13: write true"],
    ["ss.json", '{"fast_open": False}', "ss.json:1:15: write false"],
    ["ss.toml", `password = "\\q${SECRET}"`, "ss.toml:1:14: unknown escape"],
    ["ss.toml", `password = "x"\n${SECRET}`, 'ss.toml:2:16: expected "="'],
    ["ss.toml", `password="${SECRET}"\nworkers=0`, "ss.toml:2:9: "],
    ["ss.toml", `password="${SECRET}"\n[log.x]\n[srver]`, 'key "srver"'],
    ["ss.toml", `password="${SECRET}"\nserver_port=1979-05-27`, "is a date"],
    ["ss.toml", `password="${SECRET}"\ntimeout=nan`, '"timeout" is NaN'],
    ["ss.toml", `[port_password]\n0 = "${SECRET}"`, "ss.toml:2:1: "],
    ["ss.conf", "{", "ss.conf:1:2: expected a key in quotes"],
    ["ss.conf", "server", 'ss.conf:1:7: expected "=" after the key'],
  ];

for (const [path, text, words] of TEXTS) {
  const shown = JSON.stringify(text.slice(0, 24));
  Deno.test(`readConfig() refuses ${path} when it is ${shown}`, async () => {
    await check({ path, text, words, exitCode: 1 });
  });
}

async function check(
  { path, text, words, exitCode }: {
    path: string;
    text: string;
    words: string;
    exitCode: number;
  },
): Promise<void> {
  const result = await read(`-c ${path}`, { files: { [path]: text } });
  assertEquals(result.kind, "error", JSON.stringify(result));
  if (result.kind !== "error") return;
  const errors = result.messages.filter(({ level }) => level === "error");
  assertEquals(errors.length, 1, JSON.stringify(errors));
  const line = formatNotice(errors[0]!, 0);
  assertStringIncludes(line, words);
  assertEquals(result.exitCode, exitCode);
  assert(line.indexOf("\n") === line.length - 1, "one line");
  assert(line.length < 250, "a short line");
  assert(!/^ +at |\.ts:\d/m.test(line), "no stack");
  for (const notice of result.messages) {
    assert(!notice.text.includes("hunter2"), "no secret");
  }
}

// Found by `deno task fuzz`, seed 1: inputs 4262766105 and 2751549973 of
// "config files", 2159664408 and 1067357894 of "command line".
Deno.test("readConfig() writes one line that acts on no terminal, whatever is repeated in it", async () => {
  const rows: readonly (readonly [line: string, text: string, part: string])[] =
    [
      [
        "-k secret-secret --mode a\x1b[2Jb",
        "",
        "a\\u001b[2Jb",
      ],
      ["--nope\n-s", "", "option --nope\\u000a-s not recognized"],
      ["-c x.json", '{"se\x9brver":1}', 'Unknown key "se\\u009brver"'],
      ["-c x.json", '{"se\x7frver":1}', 'Unknown key "se\\u007frver"'],
    ];
  for (const [line, text, part] of rows) {
    const [issue = ""] = await readIssues(line, {
      role: "sslocal",
      files: { "x.json": text },
    });
    assert(issue.includes(part), issue);
  }
  // Found by `deno task fuzz`, seed 1: input 804201773 of "config files".
  const [far = ""] = await readIssues("-c x.toml", {
    files: {
      "x.toml": `local_port = 0\nuser = "${"u".repeat(300_000)}"\nx = 1`,
    },
  });
  assert(far.includes('Unknown key "x"'), far);
  const long = `{"${"[".repeat(10_000)}":1}`;
  const [issue = ""] = await readIssues("-c x.json", {
    files: { "x.json": long },
  });
  assert(issue.length < 6000 && issue.endsWith(" and more"), issue);
});
