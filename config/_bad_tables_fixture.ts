/**
 * Files of tables in which something is wrong, and what is said about it.
 *
 * @module
 */

import type { Role } from "./types.ts";

/** What stands above the text of every row. */
export const HEAD = 'password = "hunter2-hunter2"\nmethod = "aes-256-gcm"\n';
/** Two servers, lines 3 to 8. */
const TWO = '[[servers]]\nname = "a"\nserver = "a.example"\n' +
  '[[servers]]\nname = "b"\nserver = "b.example"\n';

/** One file and its issues. */
export interface Row {
  /** What is wrong. */
  readonly name: string;
  /** After the first two lines. */
  readonly text: string;
  /** The issues, without the path of the file. */
  readonly issues: readonly string[];
  /** Default: sslocal. */
  readonly role?: Role;
  readonly files?: Readonly<Record<string, string>>;
}

const UNSAFE = " is not available in this version, and ignoring it would " +
  "not be safe: remove it, or what needs it";

/** All of them. */
export const ROWS: readonly Row[] = [
  {
    name: "two locals on one port",
    text:
      `${TWO}[[locals]]\nlocal_port = 1081\n[[locals]]\nlocal_port = 1081\n`,
    issues: [
      "12:14: locals[1] listens on 127.0.0.1:1081, as does locals[0]: give it " +
      'another "local_port"',
    ],
  },
  {
    name: "two locals on one port, one of them at every address",
    text:
      `${TWO}[[locals]]\nlocal_port = 1081\n[[locals]]\nlocal_port = 1081\n` +
      'local_address = "0.0.0.0"\n',
    issues: [
      "12:14: locals[1] listens on 0.0.0.0:1081, which is taken by locals[0] " +
      'on 127.0.0.1:1081: give it another "local_port"',
    ],
  },
  {
    name: "two servers on one port, one of them at every address",
    role: "ssserver",
    text: '[[servers]]\nserver = "::"\nport = 1\n[[servers]]\n' +
      'server = "::1"\nport = 1\n',
    issues: [
      "8:8: servers[1] listens on [::1]:1, which is taken by servers[0] on " +
      '[::]:1: give it another "server_port"',
    ],
  },
  {
    name: "a local on the port of the flat keys",
    text: `local_port = 1080\n${TWO}[[locals]]\n`,
    issues: [
      "10:1: locals[0] listens on 127.0.0.1:1080, as does the local of the " +
      'outermost keys: give it another "local_port"',
    ],
  },
  {
    name: "two servers on one port",
    role: "ssserver",
    text: "[[servers]]\nserver_port = 1\n[[servers]]\nport = 1\n",
    issues: [
      "6:8: servers[1] listens on 0.0.0.0:1, as does servers[0]: give it " +
      'another "server_port"',
    ],
  },
  {
    name: "a group without members",
    text: `${TWO}[[groups]]\nname = "g"\n`,
    issues: [
      "9:1: groups[0] has no members that are not disabled: name servers or " +
      'groups in "members"',
    ],
  },
  {
    name: "a group with an empty list",
    text: `${TWO}[[groups]]\nname = "g"\nmembers = []\n`,
    issues: [
      "11:11: groups[0] has no members that are not disabled: name servers " +
      'or groups in "members"',
    ],
  },
  {
    name: "a group without a name",
    text: `${TWO}[[groups]]\nmembers = ["a"]\n`,
    issues: ['9:1: groups[0] has no "name"'],
  },
  {
    name: "a member that is not there",
    text: `${TWO}[[groups]]\nname = "fast"\nmembers = ["a", "fost"]\n`,
    issues: [
      '11:17: groups[0] has the member "fost", but no server or group is ' +
      'called that: did you mean "fast"?',
    ],
  },
  {
    name: "groups in a circle",
    text: `${TWO}[[groups]]\nname = "g"\nmembers = ["a", "h"]\n` +
      '[[groups]]\nname = "h"\nmembers = ["g"]\n',
    issues: [
      '14:12: groups in a circle: "g" > "h" > "g": take one out of the ' +
      "other's members",
    ],
  },
  {
    name: "a group in itself",
    text: `${TWO}[[groups]]\nname = "g"\nmembers = ["a", "g"]\n`,
    issues: [
      '11:17: groups in a circle: "g" > "g": take one out of the other\'s ' +
      "members",
    ],
  },
  {
    name: "two servers of one name",
    text: `${TWO}[[servers]]\nname = "a"\nserver = "h"\n`,
    issues: [
      '10:8: the name "a" of servers[2] is that of servers[0] too: give it ' +
      "another",
    ],
  },
  {
    name: "a group with the name of a server",
    text: `${TWO}[[groups]]\nname = "b"\nmembers = ["a"]\n`,
    issues: [
      '10:8: the name "b" of groups[0] is that of servers[1] too: give it ' +
      "another",
    ],
  },
  {
    name: "a server with a name that means something else",
    text: '[[servers]]\nname = "direct"\nserver = "h"\n',
    issues: [
      '4:8: the name "direct" of servers[0] means something else: give it ' +
      "another",
    ],
  },
  {
    name: "a selection that is no member",
    text: `${TWO}[[groups]]\nname = "g"\nmembers = ["a"]\n` +
      'strategy = "select"\nselected = "b"\n',
    issues: [
      '13:12: groups[0] selects "b", which is not one of its members',
    ],
  },
  {
    name: "an outbound that is not there",
    text: `${TWO}[[locals]]\noutbound = "blok"\n`,
    issues: [
      '10:12: locals[0] goes out by "blok", but no server or group is called ' +
      'that: did you mean "block"?',
    ],
  },
  {
    name: "an outbound that is disabled",
    text: `${TWO}[[servers]]\nname = "off"\ndisabled = true\n` +
      '[[locals]]\noutbound = "off"\n',
    issues: ['13:12: locals[0] goes out by "off", which is disabled'],
  },
  {
    name: "users of one name",
    text: `${TWO}[[locals]]\nusers = [\n  {name = "x", password = "1"},\n` +
      '  {name = "x", password = "2"},\n]\n',
    issues: [
      '12:11: user "x" of locals[0] is given twice: give each another name',
    ],
  },
  {
    name: "users without a name or password",
    text: `${TWO}[[locals]]\nusers = [{name = "x"}, {password = "hunter2"}]\n`,
    issues: [
      '10:10: a user needs "name" and "password"',
      '10:24: a user needs "name" and "password"',
    ],
  },
  {
    name: "a user with an empty name",
    text: `${TWO}[[locals]]\nusers = [{name = "", password = "hunter2"}]\n`,
    issues: ['10:18: "name" is "": expected a name without control characters'],
  },
  {
    name: "a user that HTTP cannot carry",
    text: `${TWO}[[locals]]\nusers = [{name = "a:b", password = "hunter2"}]\n`,
    issues: [
      '10:18: a user of locals[0] has a ":" in its name, which HTTP cannot ' +
      "carry",
    ],
  },
  {
    name: "a password that SOCKS cannot carry",
    text: `${TWO}[[locals]]\nusers = [{name = "a", password = "${
      "x".repeat(256)
    }"}]\n`,
    issues: [
      '10:18: user "a" of locals[0]: name and password have at most 255 ' +
      "bytes each",
    ],
  },
  {
    name: "users of a tunnel",
    text: `${TWO}[[locals]]\nprotocol = "tunnel"\nforward_address = "h"\n` +
      'forward_port = 1\nusers = [{name = "a", password = "hunter2"}]\n',
    issues: [
      "13:9: locals[0] is a tunnel, which cannot ask for users: remove them",
    ],
  },
  {
    name: "a file of users that is not there",
    text: `${TWO}[[locals]]\nsocks5_auth_config_path = "/u.json"\n`,
    issues: ["10:27: Cannot read users /u.json: no such file"],
  },
  {
    name: "a file of other users",
    text: `${TWO}[[locals]]\nsocks5_auth_config_path = "/u.json"\n`,
    files: {
      "/u.json": '{"basic":{"users":[{"user_name":"a","password":"hunter2"}]}}',
    },
    issues: [
      '10:27: Cannot read users /u.json: expected {"password": {"users": ' +
      '[{"user_name": "…", "password": "…"}]}}',
    ],
  },
  {
    name: "a file of users with an equal name",
    text: `${TWO}[[locals]]\nhttp_auth_config_path = "/u.json"\n`,
    files: {
      "/u.json": '{"basic":{"users":[{"user_name":"a","password":"hunter2"},' +
        '{"user_name":"a","password":"hunter2"}]}}',
    },
    issues: [
      '10:25: /u.json: user "a" of locals[0] is given twice: give each ' +
      "another name",
    ],
  },
  {
    name: "a tunnel that leads nowhere",
    text: `${TWO}[[locals]]\nprotocol = "tunnel"\nforward_port = 53\n`,
    issues: [
      '10:12: locals[0] is a tunnel: it needs "forward_address" and ' +
      '"forward_port", which say where it leads to',
    ],
  },
  {
    name: "a flat tunnel that leads nowhere",
    text: `protocol = "tunnel"\n${TWO}`,
    issues: [
      '3:12: a tunnel needs "tunnel_address", which says where it leads to',
    ],
  },
  {
    name: "a protocol of another program",
    text: `${TWO}[[locals]]\nprotocol = "redir"\n`,
    issues: [
      '10:12: protocol "redir" is not available in this version: expected ' +
      "one of mixed, socks, http, tunnel",
    ],
  },
  {
    name: "a protocol that nobody knows",
    text: `${TWO}[[locals]]\nprotocol = "https"\n`,
    issues: [
      '10:12: "protocol" is "https": expected one of mixed, socks, http, tunnel',
    ],
  },
  {
    name: "no server at all",
    text: "[[locals]]\n",
    issues: ["server addr not specified"],
  },
  {
    name: "only servers that are disabled",
    text: "[[servers]]\ndisabled = true\n",
    issues: ["every server is disabled: server addr not specified"],
  },
  {
    name: "only locals that are disabled",
    text: `${TWO}[[locals]]\ndisabled = true\n`,
    issues: ["9:1: every local is disabled: there is nothing to listen on"],
  },
  {
    name: "a server without an address",
    text: '[[servers]]\nname = "a"\n',
    issues: ["3:1: servers[0]: server addr not specified"],
  },
  {
    name: "a weight out of range",
    text: '[[servers]]\nserver = "h"\ntcp_weight = 1.5\nudp_weight = -1\n',
    issues: [
      '5:14: "tcp_weight" is 1.5: expected a number from 0 to 1',
      '6:14: "udp_weight" is -1: expected a number from 0 to 1',
    ],
  },
  {
    name: "port 0 of a server to reach",
    text: '[[servers]]\nserver = "h"\nport = 0\n',
    issues: ['5:8: "port" is 0: expected a port from 1 to 65535'],
  },
  {
    name: "the example's password",
    text: '[[servers]]\nserver = "h"\npassword = "mypassword"\n',
    issues: [
      "5:12: DON'T USE DEFAULT PASSWORD! Please change it in your config.json!",
    ],
  },
  {
    name: "a plugin",
    text: '[[servers]]\nserver = "h"\nplugin = "obfs-local"\n',
    issues: ['5:1: key "plugin" in [[servers]]' + UNSAFE],
  },
  {
    name: "a plugin of the flat keys",
    text: 'plugin = "obfs-local"\nserver = "h"\n',
    issues: ['3:1: key "plugin"' + UNSAFE],
  },
  {
    name: "limits of users",
    role: "ssserver",
    text: '[[users]]\nname = "a"\npassword = "hunter2"\nquota = 5\n',
    issues: [
      '6:1: key "quota" in [[users]] is not supported yet, and ignoring it ' +
      "would not be safe: remove it",
    ],
  },
  {
    name: "users of a client outside of its locals",
    text: `[[users]]\nname = "a"\npassword = "hunter2"\n${TWO}`,
    issues: [
      '3:1: "users" is for servers only: put the users of a local into ' +
      "[[locals]].users",
    ],
  },
  {
    name: "users inside a server to reach",
    text: '[[servers]]\nserver = "h"\nusers = [{name = "a", ' +
      'password = "hunter2"}]\n',
    issues: [
      '5:9: "users" of servers[0] is for servers only: a client has the key ' +
      'of one user in "password"',
    ],
  },
  {
    name: "an acl of a server to reach",
    text: '[[servers]]\nserver = "h"\nacl = "/x"\n',
    issues: [
      '5:7: "acl" of servers[0] is for servers only: put it into [[locals]] ' +
      "or outside of all tables",
    ],
  },
  {
    name: "an acl that is not there",
    text: `acl = "/x"\n${TWO}`,
    issues: ["3:7: Cannot read acl /x: no such file"],
  },
  {
    name: "an acl of a local that is not there",
    text: `${TWO}[[locals]]\nacl = "/x"\n`,
    issues: ["10:7: Cannot read acl /x: no such file"],
  },
  {
    name: "an unknown key in a table",
    text: '[[servers]]\nserver = "h"\nsever_port = 1\n',
    issues: [
      '5:1: Unknown key "sever_port" in [[servers]]: did you mean ' +
      '"server_port"?',
    ],
  },
  {
    name: "an unknown key in an inner table",
    text: `${TWO}[[locals]]\nusers = [{nam = "a", password = "hunter2"}]\n`,
    issues: [
      '10:11: Unknown key "nam" in [[locals.users]]: did you mean "name"?',
    ],
  },
  {
    name: "a misspelt password of a server",
    text: '[[servers]]\nserver = "h"\npasword = "hunter2"\n',
    issues: [
      '5:1: Unknown key "pasword" in [[servers]]: did you mean "password"?',
    ],
  },
  {
    name: "a group in itself with the name of a server",
    text: `${TWO}[[groups]]\nname = "a"\nmembers = ["a", "b"]\n`,
    issues: [
      '10:8: the name "a" of groups[0] is that of servers[0] too: give it ' +
      "another",
    ],
  },
  {
    name: "tables that are no tables",
    text: "servers = 5\nlocals = [5]\naccess_log = []\n",
    issues: [
      '3:11: "servers" is 5: expected a list of tables, [[servers]]',
      '4:11: "locals"[0] is 5: expected a table with keys such as "local_port"',
      '5:14: "access_log" is a list: expected a table with "file" and "format"',
    ],
  },
  {
    name: "one table where a list belongs",
    text: '[servers]\nserver = "h"\n',
    issues: [
      '3:1: "servers" is a table of values: expected a list of tables, ' +
      "[[servers]]",
    ],
  },
  {
    name: "a strategy that nobody knows",
    text: `${TWO}[[groups]]\nname = "g"\nmembers = ["a"]\nstrategy = "best"\n`,
    issues: [
      '12:12: "strategy" is "best": expected one of latency, failover, ' +
      "round-robin, random, sticky, select",
    ],
  },
  {
    name: "a probe of another kind",
    text: `${TWO}[[groups]]\nname = "g"\nmembers = ["a"]\n` +
      'probe_url = "https://h/"\n',
    issues: [
      '12:13: "probe_url" is a text of 10 characters: expected an http:// URL',
    ],
  },
  {
    name: "a probe with a password",
    text: `${TWO}[[groups]]\nname = "g"\nmembers = ["a"]\n` +
      'probe_url = "http://a:hunter2@h/"\n',
    issues: [
      "12:13: the URL to probe holds a user and a password: probes send none",
    ],
  },
  {
    name: "members that are not names",
    text: `${TWO}[[groups]]\nname = "g"\nmembers = ["a", 5]\n`,
    issues: ['11:17: "members"[1] is 5: expected a name'],
  },
  {
    name: "a proxy without a port",
    text: `outbound_proxy = "socks5://hunter2@h"\n${TWO}`,
    issues: [
      '3:1: "outbound_proxy" is a text of 18 characters: expected ' +
      "socks5://host:port or http://host:port, with user:password@ before " +
      "the host or without",
    ],
  },
  {
    name: "a proxy that needs TLS",
    text: `outbound_proxy = ["socks5://h:1", "https://h:1"]\n${TWO}`,
    issues: [
      '3:35: "outbound_proxy"[1] is a text of 11 characters: expected ' +
      "socks5://host:port or http://host:port, with user:password@ before " +
      "the host or without; https:// is not available in this version",
    ],
  },
  {
    name: "a proxy with a user alone",
    text: `outbound_proxy = "http://hunter2@h:1"\n${TWO}`,
    issues: [
      '3:1: "outbound_proxy" is a text of 18 characters: expected user and ' +
      "password of 1 to 255 bytes before the @, other characters than letters " +
      "and digits as %XX",
    ],
  },
  {
    name: "a user that an HTTP proxy cannot be told",
    text: `outbound_proxy = ["http://hunter2%3Aa:b@h:1"]\n${TWO}`,
    issues: [
      '3:19: "outbound_proxy"[0] is a text of 24 characters: expected a user ' +
      'without ":" (%3A), which HTTP cannot carry',
    ],
  },
  {
    name: "a password that SOCKS cannot carry",
    text: `outbound_proxy = "socks5://a:${"é".repeat(128)}@h:1"\n${TWO}`,
    issues: [
      '3:1: "outbound_proxy" is a text of 143 characters: expected user and ' +
      "password of 1 to 255 bytes before the @, other characters than letters " +
      "and digits as %XX",
    ],
  },
];
