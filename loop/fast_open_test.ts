/**
 * TCP fast open, over every poller. Whether the kernel has it switched on does
 * not matter: what it may answer is put in its mouth.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type Descriptors, withoutLeaks } from "../tests/_descriptors.ts";
import {
  contractTest,
  LOOPBACK,
  LoopFixture,
  pollers,
} from "../tests/_loop_fixture.ts";
import { DenoPoller } from "./_deno.ts";
import { EpollPoller } from "./_epoll.ts";
import { type Libc, type LibcSymbols, openLibc } from "./_libc.ts";
import {
  type ListenerSocket,
  POLL_IN,
  POLL_NULL,
  POLL_OUT,
  type StreamSocket,
} from "./mod.ts";
import { seededBytes } from "../tests/support/bytes.ts";
import { LogCapture } from "../tests/support/logs.ts";

/** IPPROTO_TCP, TCP_FASTOPEN. */
const FAST_OPEN_OPTION = [6, 23];
const EINPROGRESS = 115;

/** Connects with first data, sends on, and gives what the other end got. */
async function exchange(
  fixture: LoopFixture,
  listener: ListenerSocket,
  data: Uint8Array,
): Promise<{ readonly client: StreamSocket; readonly received: Uint8Array }> {
  const { loop, poller } = fixture;
  const received: number[] = [];
  const buffer = new Uint8Array(4096);
  let ended = false;
  fixture.on(listener, POLL_IN, () => {
    const server = listener.accept();
    if (server === undefined) return;
    fixture.on(server, POLL_IN, () => {
      const count = server.recv(buffer);
      received.push(...buffer.subarray(0, Math.max(0, count)));
      if (count !== 0) return;
      loop.remove(server);
      server.close();
      ended = true;
    });
  });
  const bytes = data.slice();
  const client = poller.connectTcp(listener.localAddress, {
    fastOpenData: bytes,
  });
  bytes.fill(0);
  let rest = data.subarray(client.fastOpenTaken ?? 0);
  fixture.on(client, POLL_OUT, () => {
    rest = rest.subarray(Math.max(0, client.send(rest)));
    if (rest.length > 0) return;
    loop.modify(client, POLL_NULL);
    client.shutdown();
  });
  await fixture.until(() => ended, "the end");
  loop.remove(client);
  client.close();
  loop.remove(listener);
  return { client, received: Uint8Array.from(received) };
}

contractTest(
  "Poller.connectTcp() with first data sends every byte of it once",
  async (fixture) => {
    using _logs = new LogCapture("info");
    for (const length of [0, 1, 500, 20_000, 20_000]) {
      using listener = fixture.poller.listenTcp(LOOPBACK, { fastOpen: 5 });
      for (let i = 0; i < 3; i++) {
        const { received, client } = await exchange(
          fixture,
          listener,
          seededBytes(length),
        );
        assertEquals(received, seededBytes(length));
        assert((client.fastOpenTaken ?? 0) <= length);
      }
    }
  },
);

Deno.test("DenoPoller ignores fast open and says so once", async () => {
  using logs = new LogCapture("info");
  using fixture = new LoopFixture(new DenoPoller());
  using listener = fixture.poller.listenTcp(LOOPBACK);
  assertEquals(logs.lines, []);
  for (let i = 0; i < 2; i++) {
    const { client } = await exchange(fixture, listener, seededBytes(10));
    assertEquals(client.fastOpenTaken, undefined);
  }
  using _other = fixture.poller.listenTcp(LOOPBACK, { fastOpen: 5 });
  assertEquals(logs.lines, ["error: warning: fast open is not available"]);
});

/** What the kernel may say, by errno. */
const REFUSALS = { EPIPE: 32, ENOPROTOOPT: 92, EOPNOTSUPP: 95, ENOTCONN: 107 };
for (const [code, errno] of Object.entries(REFUSALS)) {
  epollTest(
    `EpollPoller.connectTcp() connects without fast open and says so once when the system says ${code}`,
    async (descriptors) => {
      using logs = new LogCapture("info");
      let tries = 0;
      using fixture = forged(descriptors, (libc) => ({
        sendto: () => {
          tries++;
          return libc.fail(errno);
        },
      }));
      using listener = fixture.poller.listenTcp(LOOPBACK);
      for (let i = 0; i < 3; i++) {
        const data = seededBytes(3000);
        const { client, received } = await exchange(fixture, listener, data);
        assertEquals(client.fastOpenTaken, undefined);
        assertEquals(received, data);
      }
      assertEquals(tries, 1);
      assertEquals(logs.lines, [
        `warning: fast open not supported on this OS (${code}): connecting without it; see net.ipv4.tcp_fastopen`,
      ]);
    },
  );
}

epollTest(
  "EpollPoller.connectTcp() has taken nothing when there is no cookie yet",
  async (descriptors) => {
    using logs = new LogCapture("info");
    using fixture = forged(descriptors, (libc) => ({
      sendto: (fd, _data, _length, _flags, address, length) => {
        libc.real.connect(fd, address, length);
        return libc.fail(EINPROGRESS);
      },
    }));
    using listener = fixture.poller.listenTcp(LOOPBACK);
    const data = seededBytes(3000);
    const { client, received } = await exchange(fixture, listener, data);
    assertEquals(client.fastOpenTaken, 0);
    assertEquals(received, data);
    assertEquals(logs.lines, []);
  },
);

epollTest(
  "EpollPoller.connectTcp() tells how much has left with the SYN",
  async (descriptors) => {
    using _logs = new LogCapture("info");
    let sent: Uint8Array | undefined;
    let flags = 0;
    using fixture = forged(descriptors, (libc) => ({
      sendto: (fd, data, length, mask, address, addressLength) => {
        sent = (data as Uint8Array).slice(0, length);
        flags = mask;
        libc.real.connect(fd, address, addressLength);
        return 1200;
      },
    }));
    using listener = fixture.poller.listenTcp(LOOPBACK);
    const { client, received } = await exchange(
      fixture,
      listener,
      seededBytes(3000),
    );
    assertEquals(client.fastOpenTaken, 1200);
    assertEquals(received, seededBytes(3000).subarray(1200));
    assertEquals(sent, seededBytes(3000));
    assertEquals(flags, 0x20000000 | 0x4000);
  },
);

epollTest(
  "EpollPoller.connectTcp() with first data reports a failure like any connect",
  async (descriptors) => {
    using logs = new LogCapture("info");
    using fixture = forged(
      descriptors,
      (libc) => ({ sendto: () => libc.fail(101) }),
    );
    using client = fixture.poller.connectTcp(LOOPBACK, {
      fastOpenData: seededBytes(10),
    });
    let code = "";
    fixture.on(client, POLL_OUT, () => {
      code = client.takeError();
      fixture.loop.remove(client);
    });
    await fixture.until(() => code !== "", "a failure");
    assertEquals([code, client.fastOpenTaken], ["ENETUNREACH", 0]);
    assertEquals(logs.lines, []);
  },
);

epollTest(
  "EpollPoller.listenTcp() goes on and says so once when fast open is not available",
  async (descriptors) => {
    using logs = new LogCapture("info");
    let tries = 0;
    using fixture = forged(descriptors, (libc) => ({
      setsockopt: (fd, level, name, value, length) => {
        if (level !== FAST_OPEN_OPTION[0] || name !== FAST_OPEN_OPTION[1]) {
          return libc.real.setsockopt(fd, level, name, value, length);
        }
        tries++;
        return libc.fail(92);
      },
    }));
    using first = fixture.poller.listenTcp(LOOPBACK, { fastOpen: 5 });
    using second = fixture.poller.listenTcp(LOOPBACK, { fastOpen: 5 });
    assertEquals(tries, 2);
    assertEquals(logs.lines, ["error: warning: fast open is not available"]);
    for (const listener of [first, second]) {
      const { client, server } = await fixture.connect(listener);
      fixture.loop.remove(client);
      client.close();
      server.close();
    }
  },
);

/** libc as a test sees it. */
interface Forge {
  /** The real functions. */
  readonly real: LibcSymbols;
  /** What a function returns that fails; `errno` is this until it is read. */
  readonly fail: (errno: number) => number;
}

/** A loop over epoll, on a libc some of whose functions are others. */
function forged(
  descriptors: Descriptors,
  make: (libc: Forge) => Partial<LibcSymbols>,
): LoopFixture {
  const libc = openLibc();
  let forgedErrno: number | undefined;
  const others = make({
    real: libc.symbols,
    fail: (errno) => {
      forgedErrno = errno;
      return -1;
    },
  });
  const fake: Libc = {
    symbols: { ...libc.symbols, ...others },
    errno: () => {
      const errno = forgedErrno ?? libc.errno();
      forgedErrno = undefined;
      return errno;
    },
  };
  return new LoopFixture(new EpollPoller(descriptors.watch(fake)));
}

/** Defines a test for systems with epoll. */
function epollTest(
  name: string,
  body: (descriptors: Descriptors) => Promise<void>,
): void {
  if (pollers().includes("epoll")) Deno.test(name, () => withoutLeaks(body));
}
