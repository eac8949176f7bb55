/**
 * Port forwards: our tunnel through `ss-server`, and `ss-tunnel` through our
 * server.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  echoTarget,
  freePort,
  readExactly,
  seededBytes,
  sha256,
  spawnRole,
  UdpEcho,
  withTimeout,
  writeAll,
} from "../support/mod.ts";
import { startPeerServer, startPeerTunnel } from "./_libev.ts";

const METHODS = ["chacha20-ietf-poly1305", "aes-256-cfb"] as const;
const PASSWORD = "correct horse battery staple";
const FILE = 1024 * 1024;
const DATAGRAMS = [1, 2, 100, 1200, 1392];

for (const method of METHODS) {
  Deno.test(`sstunnel forwards TCP when ss-server speaks ${method}`, async () => {
    await using target = echoTarget();
    await checkOurTunnel(method, target.port, checkStream);
  });

  Deno.test(`sstunnel forwards UDP when ss-server speaks ${method}`, async () => {
    await using target = new UdpEcho();
    await checkOurTunnel(method, target.port, checkDatagrams);
  });

  Deno.test(`ssserver serves TCP when ss-tunnel speaks ${method}`, async () => {
    await using target = echoTarget();
    await checkTheirTunnel(method, target.port, checkStream);
  });

  Deno.test(`ssserver serves UDP when ss-tunnel speaks ${method}`, async () => {
    await using target = new UdpEcho();
    await checkTheirTunnel(method, target.port, checkDatagrams);
  });
}

/** What is done with the near end of a tunnel. */
type Check = (port: number) => Promise<void>;

async function checkOurTunnel(
  method: string,
  targetPort: number,
  check: Check,
): Promise<void> {
  await using server = await startPeerServer({ method, password: PASSWORD });
  const port = freePort();
  await using _tunnel = await spawnRole("sstunnel", {
    config: {
      server: "127.0.0.1",
      server_port: server.port,
      password: PASSWORD,
      method,
      local_address: "127.0.0.1",
      tunnel_port: port,
      tunnel_remote: "127.0.0.1",
      tunnel_remote_port: targetPort,
    },
  });
  await check(port);
}

async function checkTheirTunnel(
  method: string,
  targetPort: number,
  check: Check,
): Promise<void> {
  await using server = await spawnRole("ssserver", {
    config: {
      server: "127.0.0.1",
      server_port: 0,
      password: PASSWORD,
      method,
      forbidden_ip: "",
    },
  });
  await using tunnel = await startPeerTunnel({
    method,
    password: PASSWORD,
    serverPort: server.port,
    targetPort,
  });
  await check(tunnel.port);
}

async function checkStream(port: number): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const file = seededBytes(FILE, FILE);
  const sending = writeAll(conn, file);
  const back = await withTimeout(readExactly(conn, FILE), "the file");
  await sending;
  assertEquals(await sha256(back), await sha256(file));
}

async function checkDatagrams(port: number): Promise<void> {
  using stack = new DisposableStack();
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });
  stack.defer(() => socket.close());
  for (const size of DATAGRAMS) {
    const payload = seededBytes(size, size);
    await socket.send(payload, {
      transport: "udp",
      hostname: "127.0.0.1",
      port,
    });
    const [answer] = await withTimeout(socket.receive(), `${size} bytes`);
    assertEquals(answer, payload);
  }
}
