/**
 * Port forwards: our tunnel through `ss-server`, and `ss-tunnel` through our
 * server.
 *
 * @module
 */

import { echoTarget, freePort, spawnRole, UdpEcho } from "../support/mod.ts";
import { startPeerServer, startPeerTunnel } from "./_libev.ts";
import { checkDatagrams, checkStream } from "./_tunnel_checks.ts";

const METHODS = ["chacha20-ietf-poly1305", "aes-256-cfb"] as const;
const PASSWORD = "correct horse battery staple";

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
