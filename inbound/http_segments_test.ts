/**
 * Tests of whole exchanges over the HTTP proxy, cut everywhere, and mutated.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { FakeHandler } from "./_http_fixture.ts";
import { randomOf } from "../tests/support/bytes.ts";

/** A request, what its origin gets, the answer, and what the client gets. */
interface Exchange {
  readonly request: string;
  readonly received: string;
  readonly answer: string;
  readonly sent: string;
  /** Whether it opens a new connection. */
  readonly isNew: boolean;
}

const CHUNKS = "4;x=y\r\nwiki\r\n00a\r\n0123456789\r\n0\r\nA: b\r\n\r\n";
const UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\n";

/** One connection of a client: two hosts, every kind of body, an upgrade. */
const EXCHANGES: readonly Exchange[] = [
  {
    request: "GET http://a/1 HTTP/1.1\r\nHost: a\r\nTE: x\r\n\r\n",
    received: "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n",
    answer: "HTTP/1.1 200 OK\r\nKeep-Alive: 5\r\nContent-Length: 3\r\n\r\nabc",
    sent: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    isNew: true,
  },
  {
    request: "\r\nPOST http://A:80/2 HTTP/1.1\r\nHost: a\r\n" +
      `Transfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
    received: "POST /2 HTTP/1.1\r\nHost: A:80\r\n" +
      `Transfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
    answer: "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" +
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
    sent: "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" +
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
    isNew: false,
  },
  {
    request: "PUT http://[::1]:8080/3 HTTP/1.1\r\nHost: x\r\n" +
      "Content-Length: 6\r\n\r\nGET\r\n\r",
    received: "PUT /3 HTTP/1.1\r\nHost: [::1]:8080\r\n" +
      "Content-Length: 6\r\n\r\nGET\r\n\r",
    answer: "HTTP/1.1 204 No Content\r\n\r\n",
    sent: "HTTP/1.1 204 No Content\r\n\r\n",
    isNew: true,
  },
  {
    request: "HEAD http://a/4 HTTP/1.1\r\nHost: a\r\n\r\n",
    received: "HEAD /4 HTTP/1.1\r\nHost: a\r\n\r\n",
    answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\n",
    sent: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
    isNew: true,
  },
  {
    request: "GET http://a/5 HTTP/1.1\r\nHost: a\r\n\r\n",
    received: "GET /5 HTTP/1.1\r\nHost: a\r\n\r\n",
    answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    sent: "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    isNew: true,
  },
  {
    request: `GET http://a/6 HTTP/1.1\r\nHost: a\r\n${UPGRADE}\r\nup \r\n`,
    received: `GET /6 HTTP/1.1\r\nHost: a\r\n${UPGRADE}\r\nup \r\n`,
    answer: `HTTP/1.1 101 Switching\r\n${UPGRADE}\r\ndown \r\n`,
    sent: `HTTP/1.1 101 Switching\r\n${UPGRADE}\r\ndown \r\n`,
    isNew: false,
  },
];

const CLIENT = EXCHANGES.map((exchange) => exchange.request).join("");
const SENT = EXCHANGES.map((exchange) => exchange.sent).join("");
const RECEIVED = expectedOrigins();

function expectedOrigins(): string[] {
  const origins: string[] = [];
  for (const { received, isNew } of EXCHANGES) {
    if (isNew) origins.push("");
    origins[origins.length - 1] += received;
  }
  return origins;
}

/** How many heads of requests have come to the origins. */
function headsAt(handler: FakeHandler): number {
  return handler.origins.reduce(
    (count, origin) =>
      count + origin.received.split(" HTTP/1.1\r\nHost: ").length - 1,
    0,
  );
}

/** Plays all; `pieceOf` says how long the next piece of a text of a length is. */
function play(handler: FakeHandler, pieceOf: (left: number) => number): void {
  let sent = 0;
  let answered = 0;
  let answer = "";
  while (handler.ending === "") {
    const isBlocked = answer === "" &&
      (answered === EXCHANGES.length || headsAt(handler) <= answered);
    if (isBlocked && sent === CLIENT.length) return;
    const isClientsTurn = sent < CLIENT.length &&
      (isBlocked || pieceOf(2) === 1);
    if (isClientsTurn) {
      const piece = pieceOf(CLIENT.length - sent);
      handler.client(CLIENT.slice(sent, sent + piece));
      sent += piece;
    } else {
      if (answer === "") answer = EXCHANGES[answered++]!.answer;
      const piece = pieceOf(answer.length);
      handler.answer(answer.slice(0, piece));
      answer = answer.slice(piece);
    }
  }
}

function assertPlayed(handler: FakeHandler, message: string): void {
  assertEquals(handler.sent, SENT, message);
  assertEquals(
    handler.origins.map((origin) => origin.received),
    RECEIVED,
    message,
  );
  assertEquals(handler.ending, "");
}

Deno.test("HttpStream passes whole exchanges on when the client's bytes are cut anywhere", () => {
  for (let cut = 1; cut <= CLIENT.length; cut++) {
    const handler = new FakeHandler();
    let piece = cut;
    play(handler, (left) => {
      const length = Math.min(piece, left);
      piece = left;
      return length;
    });
    assertPlayed(handler, `cut ${cut}`);
  }
});

Deno.test("HttpStream passes whole exchanges on in bytes, and in random pieces", () => {
  const byByte = new FakeHandler();
  play(byByte, () => 1);
  assertPlayed(byByte, "by byte");
  for (let seed = 0; seed < 300; seed++) {
    const random = randomOf(seed);
    const longest = 1 + random(200);
    const handler = new FakeHandler({ isTight: seed % 2 === 0 });
    play(handler, (left) => 1 + random(Math.min(left, longest)));
    assertPlayed(handler, `seed ${seed}`);
  }
});

function mutate(text: string, random: (limit: number) => number): string {
  const alphabet = "\r\n\t :,;/0129aF%\0\x7f\x80\xffGhH";
  let mutated = text;
  for (let i = random(5); i > 0; i--) {
    const at = random(mutated.length);
    const put = random(4) === 0 ? "" : alphabet[random(alphabet.length)]!;
    mutated = mutated.slice(0, at) + put + mutated.slice(at + random(2));
  }
  return mutated;
}

Deno.test("HttpStream neither throws nor grows for mutated exchanges", () => {
  let whole = 0;
  for (let seed = 0; seed < 3000; seed++) {
    const random = randomOf(seed);
    const handler = new FakeHandler({
      isTight: seed % 2 === 0,
      users: seed % 3 === 0 ? [{ name: "a", password: "b" }] : [],
    });
    const client = mutate(CLIENT, random);
    let answers = 0;
    for (const text of [client.slice(0, 300), client.slice(300)]) {
      handler.client(text);
      for (let i = 0; i < 6 && handler.origin !== undefined; i++) {
        const answer = mutate(EXCHANGES[answers % 6]!.answer, random);
        answers++;
        const at = random(answer.length + 1);
        handler.answer(answer.slice(0, at));
        handler.answer(answer.slice(at));
      }
      if (handler.origin !== undefined && random(4) === 0) handler.answerEnd();
    }
    if (handler.ending === "" && handler.sent.length > 0) whole++;
    const received = handler.origins.reduce(
      (sum, origin) => sum + origin.received.length,
      0,
    );
    assert(received <= client.length + 40 * 7, `seed ${seed}`);
    assert(handler.sent.length <= 8 * 400 + answers * 400, `seed ${seed}`);
    assert(["", "close", "reset"].includes(handler.ending), `seed ${seed}`);
  }
  assert(whole > 100, `only ${whole} went well`);
});

Deno.test("HttpCodec counts a body of 100 MiB", () => {
  const size = 100 * 1024 * 1024;
  const piece = new Uint8Array(512 * 1024);
  const output = new Uint8Array(640 * 1024);
  const handler = new FakeHandler();
  handler.client("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n");
  handler.answer(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
  const codec = handler.stream.codec!;
  let count = 0;
  for (let at = 0; at < size; at += piece.length) {
    count += codec.encode(piece, output, piece.length);
  }
  assertEquals([count, codec.endsCleanly?.(), codec.failed], [
    size,
    true,
    false,
  ]);
});
