/**
 * Our server as a prober sees it.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { openProviders } from "../../crypto/mod.ts";
import { openEdition } from "../../shadowsocks/mod.ts";
import { seededBytes, spawnRole, toBase64 } from "../support/mod.ts";
import { isExempt } from "./_first_flights.ts";
import { planOf } from "./_probes.ts";
import { probeAll, reactionsOf, reportOf, serve } from "./_reactions.ts";
import { flightsOf } from "./probe.ts";

/** Milliseconds until a prober gives up. */
const WAIT = 300;
/** The key, or the password. */
const PASSWORD = toBase64(seededBytes(32, 1));
const PROVIDERS = await openProviders();

const ROWS = [
  { method: "aes-256-gcm", reject: undefined, sees: "TF" },
  { method: "chacha20-ietf-poly1305", reject: undefined, sees: "TF" },
  { method: "2022-blake3-aes-256-gcm", reject: "reset", sees: "R" },
  { method: "2022-blake3-aes-256-gcm", reject: "drain", sees: "F" },
  { method: "2022-blake3-aes-256-gcm", reject: "silent", sees: "TF" },
] as const;

for (const { method, reject, sees } of ROWS) {
  // Outside of the test: native libraries stay loaded.
  const options = { method, password: PASSWORD };
  const edition = await openEdition(options, { providers: PROVIDERS });
  Deno.test({
    name:
      `ssserver has one reaction to every known probe (${method}, reject ${reject})`,
    // The deno poller cannot reset.
    ignore: Deno.build.os !== "linux" && reject === "reset",
    fn: async () => {
      await using server = await spawnRole("ssserver", {
        config: {
          ...{ server: "127.0.0.1", server_port: 0, ...options },
          ...reject === undefined ? {} : { reject },
        },
      });
      const newFlight = flightsOf(edition);
      const { probes, served } = planOf({ seed: 1, repeats: 1, newFlight });
      const target = {
        hostname: "127.0.0.1",
        port: server.port,
        wait: WAIT,
      };
      for (const flight of served) await serve(target, flight);
      const reports = reportOf(await probeAll(target, probes));
      const strange = reports.filter(({ reactions }) =>
        reactions.size > 1 || !reactions.has(sees)
      );
      assertEquals(strange, []);
      assertEquals(reactionsOf(reports), [sees]);
      assert(probes.length > 300);
    },
  });
}

Deno.test("isExempt() tells what the rule against encrypted traffic lets pass", () => {
  const random = seededBytes(200, 3);
  assert(!isExempt(random));
  const texts = ["GET / HTTP/1.1", "\x16\x03\x01", "\0".repeat(200)];
  for (const text of texts) {
    const head = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    const segment = new Uint8Array(Math.max(200, head.length));
    segment.set(random);
    segment.set(head);
    assert(isExempt(segment), text);
  }
});
