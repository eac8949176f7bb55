/**
 * Files that are good: of every dialect, flat and with tables.
 *
 * @module
 */

import type { Role } from "./types.ts";

/** A file that is good. */
export interface GoodFile {
  /** What the test is called by. */
  readonly name: string;
  /** Its path. */
  readonly path: string;
  /** What it is for. */
  readonly role: Role;
  /** The whole file. */
  readonly text: string;
  /** Other files that it names. */
  readonly files?: Readonly<Record<string, string>>;
}

const KEY = "correct horse battery";

/** The files. */
export const GOOD_FILES: readonly GoodFile[] = [
  {
    name: "the original's file for a client",
    path: "config.json",
    role: "sslocal",
    text: `{
    "server": ["a.example", "b.example"],
    "server_port": [8381, 8382],
    "local_address": "127.0.0.1",
    "local_port": 1081,
    "password": "${KEY}",
    "timeout": 300,
    "method": "aes-256-cfb",
    "fast_open": false,
    "workers": 1
}`,
  },
  {
    name: "the original's file for many ports",
    path: "config.json",
    role: "ssserver",
    text: `{
    "server": "::",
    "port_password": { "8381": "${KEY} 1", "8382": "${KEY} 2" },
    "timeout": 300,
    "method": "aes-256-gcm",
    "forbidden_ip": ["127.0.0.0/8"],
    "dns_server": ["1.1.1.1"],
    "_comment": { "8381": "alice" }
}`,
  },
  {
    name: "libev's file for a tunnel",
    path: "tunnel.json",
    role: "sstunnel",
    text: `{
\t"server": "192.0.2.1",
\t"server_port": "8388",
\t"local_address": "0.0.0.0",
\t"local_port": 1090,
\t"password": "${KEY}",
\t"method": "chacha20-ietf-poly1305",
\t"mode": "tcp_and_udp",
\t"tunnel_address": "8.8.4.4:53",
\t"timeout": 120,
\t"use_syslog": false,
\t"reuse_port": true,
\t"no_delay": true
}`,
  },
  {
    name: "libev's file for a server",
    path: "server.json",
    role: "ssserver",
    text: `{
    "server": ["[::0]", "0.0.0.0"],
    "mode": "tcp_and_udp",
    "server_port": 8388,
    "local_port": 1080,
    "password": "${KEY}",
    "timeout": 300,
    "method": "chacha20-ietf-poly1305",
    "nameserver": "1.1.1.1,8.8.8.8",
    "ipv6_first": true,
    "fast_open": true,
    "plugin": "",
    "plugin_opts": ""
}`,
  },
  {
    name: "rust's file for a client",
    path: "local.json",
    role: "sslocal",
    text: `{
    "locals": [
        { "local_address": "127.0.0.1", "local_port": 1080 },
        {
            // An HTTP proxy
            "protocol": "http", "local_port": 3128,
            "http_auth_config_path": "/etc/http.json"
        },
        {
            "protocol": "tunnel", "local_port": 5353, "mode": "udp_only",
            "forward_address": "8.8.8.8", "forward_port": 53
        },
        { "protocol": "dns", "disabled": true },
    ],
    "local_address": "::1",
    "local_port": 1082,
    "protocol": "socks",
    "servers": [
        {
            "address": "192.0.2.1", "port": 8384,
            "password": "\${SS_TEST_PASSWORD}",
            "method": "chacha20-ietf-poly1305",
            "remarks": "one", "tcp_weight": 0.5, "udp_weight": 0,
            "plugin": null, "plugin_opts": null, "timeout": 400
        },
        {
            "server": "2001:db8::1", "server_port": 8385,
            "password": "${KEY}", "method": "aes-128-gcm", "remarks": "one",
            "id": "27b8a625-4f4b-4428-9f0f-8a2317db7c79"
        },
        { "server": "off.example", "server_port": 1, "method": "none",
          "password": "x", "plugin": "obfs", "disabled": true }
    ],
    "balancer": { "check_interval": 20, "max_server_rtt": 5 },
    "acl": "/etc/bypass.acl",
    "mode": "tcp_and_udp",
    "udp_timeout": 120,
    "no_delay": true,
    "keep_alive": 15,
}`,
    files: {
      "/etc/http.json": '{"basic": {"users": [{"user_name": "alice",' +
        ` "password": "${KEY}"}]}}`,
      "/etc/bypass.acl": "[bypass_list]\n192.168.0.0/16\n",
    },
  },
  {
    name: "rust's file for a server",
    path: "server.json",
    role: "ssserver",
    text: `{
    "shadowsocks": [
        { "server": "::", "server_port": 8388, "password": "${KEY}",
          "method": "aes-256-gcm", "mode": "tcp_only", "users": [],
          "acl": "/etc/server.acl" },
        { "server": "0.0.0.0", "server_port": 8389, "password": "${KEY} 2",
          "method": "chacha20-ietf-poly1305",
          "outbound_proxy": ["socks5://192.0.2.1:1080", "http://a:b%40@h:80"] }
    ],
    "locals": [{ "protocol": "redir", "disabled": true }],
    "mode": "tcp_and_udp",
    "nofile": 10240,
    "outbound_proxy": "socks5://[2001:db8::1]:1080"
}`,
    files: { "/etc/server.acl": "[outbound_block_list]\n10.0.0.0/8\n" },
  },
  {
    name: "a file with every table",
    path: "all.toml",
    role: "sslocal",
    text: `method = "aes-256-gcm"
password = "${KEY}"

[access_log]
format = "json"
file = "/var/log/access.log"

[[servers]]
name = "far"
server = "far.example"

[[servers]]
name = "near"
server = "near.example"
server_port = 443
outbound_proxy = []

[[groups]]
name = "fast"
members = ["near", "far"]

[[groups]]
name = "default"
strategy = "select"
members = ["fast", "far", "direct"]
selected = "far"

[[groups]]
name = "turns"
strategy = "round-robin"
members = ["near", "far"]
probe_url = "http://probe.example/"
probe_interval = 60

[[locals]]
local_port = 1080
users = [{ name = "alice", password = "secret of alice" }]
acl = "alice.acl"

[[locals]]
local_port = 1081
outbound = "turns"

[[locals]]
local_port = 1081
local_address = "::1"
outbound = "direct"
`,
    files: { "alice.acl": "[proxy_all]\n" },
  },
  {
    name: "a file of a server with users",
    path: "users.toml",
    role: "ssserver",
    text: `method = "2022-blake3-aes-128-gcm"
password = "AAECAwQFBgcICQoLDA0ODw=="
reject = "drain"
fallback = "192.0.2.1:80"

[[users]]
name = "alice"
password = "AQEBAQEBAQEBAQEBAQEBAQ=="

[[users]]
name = "bob"
password_file = "bob.txt"
disabled = true

[[servers]]
server_port = 8388

[[servers]]
server_port = 8389
method = "aes-256-gcm"
password = "${KEY}"
acl = "/etc/server.acl"
`,
    files: {
      "bob.txt": "AgICAgICAgICAgICAgICAg==\n",
      "/etc/server.acl": "[outbound_block_list]\n10.0.0.0/8\n",
    },
  },
  {
    name: "a file without servers",
    path: "direct.toml",
    role: "sslocal",
    text: '[[locals]]\noutbound = "direct"\n',
  },
];
