/**
 * Tests of the habits of the command line.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { getopt, type Option } from "./getopt.ts";

const OPTIONS: readonly Option[] = [
  { short: "c", long: "config", takesValue: true },
  { short: "t", takesValue: true },
  { short: "v", takesValue: false },
  { short: "q", takesValue: false },
  { short: "h", long: "help", takesValue: false },
  { long: "forbidden-ip", takesValue: true },
  { long: "fast-open", takesValue: false },
  { long: "pid-file", takesValue: true },
  { long: "user", takesValue: true },
  { long: "user-agent", takesValue: true },
];

const GOOD: readonly (readonly [string, string])[] = [
  ["", ""],
  ["-t10", "-t=10"],
  ["-t 10", "-t=10"],
  ["-vv", "-v,-v"],
  ["-v -v", "-v,-v"],
  ["-qq -v", "-q,-q,-v"],
  ["-vqt10", "-v,-q,-t=10"],
  ["-vt 10", "-v,-t=10"],
  ["-t -v", "-t=-v"],
  ["-t --", "-t=--"],
  ["-c a.json", "-c=a.json"],
  ["--config a.json", "--config=a.json"],
  ["--config=a=b", "--config=a=b"],
  ["--conf a", "--config=a"],
  ["--c=a", "--config=a"],
  ["--forbidden-ip=", "--forbidden-ip="],
  ["--forbidden-ip 1.1.1.1,::1", "--forbidden-ip=1.1.1.1,::1"],
  ["--forb X", "--forbidden-ip=X"],
  ["--fo=X", "--forbidden-ip=X"],
  ["--fa", "--fast-open"],
  ["--user a", "--user=a"],
  ["--user-a a", "--user-agent=a"],
  ["--h", "--help"],
  ["-v --", "-v"],
];

for (const [line, expected] of GOOD) {
  Deno.test(`getopt() reads "${line}"`, () => {
    const found = getopt(line.split(" ").filter(Boolean), OPTIONS);
    assertEquals(found.kind, "options");
    if (found.kind !== "options") return;
    const shown = found.given.map(({ option, name, value }) =>
      option.takesValue ? `${name}=${value}` : name
    );
    assertEquals(shown.join(), expected);
  });
}

const OPTIONS_ONLY = "there are options only; a file with settings needs -c " +
  "before it";

const BAD: readonly (readonly [string, string])[] = [
  ["-c", "option -c requires argument"],
  ["-vc", "option -c requires argument"],
  ["--config", "option --config requires argument"],
  ["--conf", "option --config requires argument"],
  ["-X", "option -X not recognized"],
  ["-vX", "option -X not recognized"],
  ["--nope", "option --nope not recognized"],
  ["--nope=secret", "option --nope not recognized"],
  ["--f", "option --f not a unique prefix"],
  ["--use x", "option --use not a unique prefix"],
  ["--help=yes", "option --help must not have an argument"],
  ["--=x", "option -- not a unique prefix"],
  ["-t 10 secret", `argument 3 not recognized: ${OPTIONS_ONLY}`],
  ["secret -v", `argument 1 not recognized: ${OPTIONS_ONLY}`],
  ["-v -", `argument 2 not recognized: ${OPTIONS_ONLY}`],
  ["-v -- -v", `argument 3 not recognized: ${OPTIONS_ONLY}`],
];

for (const [line, message] of BAD) {
  Deno.test(`getopt() refuses "${line}"`, () => {
    assertEquals(getopt(line.split(" "), OPTIONS), { kind: "error", message });
  });
}

Deno.test("getopt() takes an empty value when it stands alone", () => {
  const found = getopt(["-c", ""], OPTIONS);
  assertEquals(found.kind === "options" && found.given[0]?.value, "");
});
