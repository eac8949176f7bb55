/**
 * Tests of reading JSON and TOML: values, places, and what is refused.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { ConfigSyntaxError, lineColumn, type Path } from "./_place.ts";
import { readDocument } from "./_document.ts";

async function valuesOf(text: string, path: string): Promise<unknown> {
  return (await readDocument(text, path)).values;
}

const JSON_TEXT = `// a client
{
  "server": ["a", "b"], /* two
  */ "server_port" : 8388,
  "port_password": {
    "8381": "x\\ty",
    "8382": "\\u00e9",
  },
  "deep": [[1, { "k": null }], true],
}
`;

const TOML_TEXT = `# a server
server = [
  "a", # first
  "b",
]
"server_port" = 0x20C4
a.b.c = 'x'
inline = { p = 1, q = { r = """two
lines""" } }

[port_password]
8381 = "x"
'8382' = "é\\"="

[[list]]
k = 1
[[list]]
k = 2 # two
`;

const PLACES: readonly (readonly [string, string, Path, string, string])[] = [
  ["x.json", JSON_TEXT, ["server"], "3:3", "3:13"],
  ["x.json", JSON_TEXT, ["server", 1], "3:19", "3:19"],
  ["x.json", JSON_TEXT, ["server_port"], "4:6", "4:22"],
  ["x.json", JSON_TEXT, ["port_password", "8382"], "7:5", "7:13"],
  ["x.json", JSON_TEXT, ["deep", 0, 1, "k"], "9:18", "9:23"],
  ["x.toml", TOML_TEXT, ["server"], "2:1", "2:10"],
  ["x.toml", TOML_TEXT, ["server", 1], "4:3", "4:3"],
  ["x.toml", TOML_TEXT, ["server_port"], "6:1", "6:17"],
  ["x.toml", TOML_TEXT, ["a"], "7:1", "7:9"],
  ["x.toml", TOML_TEXT, ["a", "b", "c"], "7:1", "7:9"],
  ["x.toml", TOML_TEXT, ["inline", "q", "r"], "8:25", "8:29"],
  ["x.toml", TOML_TEXT, ["port_password"], "11:1", "11:1"],
  ["x.toml", TOML_TEXT, ["port_password", "8382"], "13:1", "13:10"],
  ["x.toml", TOML_TEXT, ["list", 1, "k"], "18:1", "18:5"],
];

for (const [file, text, path, key, value] of PLACES) {
  Deno.test(`readDocument() places ${path.join(".")} in ${file}`, async () => {
    const locator = await (await readDocument(text, file)).locate();
    const placeOf = (part: "key" | "value"): string =>
      lineColumn(text, locator.offsetOf({ path, part }));
    assertEquals([placeOf("key"), placeOf("value")], [key, value]);
  });
}

Deno.test("readDocument() reads the same values from JSON and TOML", async () => {
  const json = await valuesOf(
    '{"a":1,"b":[true,"x"],"c":{"d":"e\\n"},"f":-1.5e2}',
    "x.json",
  );
  const toml = await valuesOf(
    'a=1\nb=[true,"x"]\nf=-1.5e2\n[c]\nd="e\\n"\n',
    "x.toml",
  );
  assertEquals(JSON.parse(JSON.stringify(json)), {
    a: 1,
    b: [true, "x"],
    c: { d: "e\n" },
    f: -150,
  });
  assertEquals(
    JSON.parse(JSON.stringify(toml)),
    { a: 1, b: [true, "x"], f: -150, c: { d: "e\n" } },
  );
});

Deno.test("readDocument() goes by the first character when the name tells nothing", async () => {
  for (const text of ['{"a":1}', ' // c\n/* { */ {"a":1}', '\ufeff{"a":1}']) {
    const values = await valuesOf(text, "ss.conf");
    assertEquals(Object.entries(values as object), [["a", 1]]);
  }
  for (const text of ["a = 1", "# {\na = 1", "\ufeffa = 1"]) {
    const values = await valuesOf(text, "ss.conf");
    assertEquals(Object.entries(values as object), [["a", 1]]);
  }
});

Deno.test("readDocument() takes no prototype from JSON", async () => {
  const values = await valuesOf('{"__proto__":{"server":"x"}}', "x.json");
  assertEquals(Object.keys(values as object), ["__proto__"]);
  assertEquals((values as { server?: string }).server, undefined);
});

/** File name, text, place and message; no message repeats `hunter`. */
const BROKEN: readonly (readonly [string, string, string, string])[] = [
  ["x.json", "// a", "1:5", "expected a value"],
  ["x.json", "{", "1:2", 'expected a key in quotes, or "}"'],
  ["x.json", '{"a":1', "1:7", 'expected "," or "}", found the end of the file'],
  ["x.json", '{"a" 1}', "1:6", 'expected ":" after the key, found a digit'],
  ["x.json", '{"a":hunter}', "1:6", "expected a value (text needs double"],
  ["x.json", "{hunter:1}", "1:2", "expected a key in quotes"],
  ["x.json", "{'hunter':1}", "1:2", "expected a key in quotes"],
  ["x.json", '{"a":"hunter', "1:6", "string has no closing quote"],
  ["x.json", '{"a":"hunter\n"}', "1:6", "string has no closing quote"],
  ["x.json", '{"a":"hunter\\x"}', "1:13", "unknown escape"],
  ["x.json", '{"a":"hunter\\u12"}', "1:13", "unknown escape"],
  ["x.json", '{"a":"hunter\u0000"}', "1:13", "control character"],
  ["x.json", '{"a":"\\ud800"}', "1:6", "half a surrogate pair"],
  ["x.json", '{\n\n "mode":1,\n "mode":2}', "4:2", '"mode" is given twice'],
  [
    "x.json",
    '{"a":{"hunter":1,"hunter":2}}',
    "1:18",
    "this key is given twice",
  ],
  ["x.json", '{"a":1}hunter', "1:8", "expected the end of the file"],
  ["x.json", '{"a":1,,}', "1:8", "expected a key in quotes"],
  ["x.json", '{"a":01}', "1:6", "a number has no leading zero"],
  ["x.json", '{"a":0x10}', "1:6", "expected a number"],
  ["x.json", '{"a":1 /* hunter', "1:8", "comment has no end"],
  ["x.json", `{"a":${"[".repeat(100_000)}`, "1:38", "nested too deeply"],
  ["x.json", '{"a":"hunter\ufffd"}', "1:13", "expected UTF-8"],
  ["x.json", '{"a":1，"b":2}', "1:7", 'a comma that is not ASCII: write ","'],
  ["x.json", '{"a":“hunter”}', "1:6", "found a curly quote: write"],
  ["x.json", "{“a”:1}", "1:2", "found a curly quote: write"],
  ["x.json", '{"a"：1}', "1:5", 'a colon that is not ASCII: write ":"'],
  ["x.json", '{"a":"x"\n"b":1}', "2:1", 'expected "," or "}", found a quote'],
  ["x.json", '{"a":["x" "y"]}', "1:11", 'expected "," or "]", found a quote'],
  ["x.json", '{"a":[1}', "1:8", 'expected "," or "]", found "}"'],
  ["x.json", '{"a":"hun\tter" 5}', "1:16", 'expected "," or "}"'],
  ["x.json", "[,]", "1:2", "expected a value"],
  ["x.json", '{"mode":1,/*"*/"mode":2}', "1:16", '"mode" is given twice'],
  // Found by `deno task fuzz`, seed 1, input 3321200663 of "config files".
  ["x.toml", 'a = "hunter\\ud800"', "1:12", "unknown escape"],
  ["x.toml", "a = “hunter”", "1:5", "found a curly quote: write"],
  ["x.toml", "a = [1，2]", "1:7", "a comma that is not ASCII"],
  ["x.toml", "a = 'x',", "1:8", 'the end of the line, found ","'],
  ["x.toml", "hunter", "1:7", 'expected "=" after the key'],
  ["x.toml", "a = ", "1:5", "expected a value (text needs quotes)"],
  ["x.toml", "a = hunter", "1:5", "expected a value (text needs quotes)"],
  ["x.toml", 'a = "hunter', "1:5", "string has no closing quote"],
  ["x.toml", 'a = """hunter""', "1:5", "string has no closing quote"],
  ["x.toml", 'a = "hunter\\q"', "1:13", "unknown escape in a string"],
  ["x.toml", "mode = 1\nb = 2\nmode = 3", "3:1", '"mode" is given twice'],
  ["x.toml", "[a]\nhunter=1\nhunter=2", "3:1", "this key is given twice"],
  ["x.toml", "[a]\nb=1\n[a]\nc=1", "3:1", "this table is given twice"],
  ["x.toml", "a = 1 b = 2", "1:7", "expected the end of the line"],
  ["x.toml", "a = 1979-13-99", "1:5", "expected a date"],
  ["x.toml", "a = 01", "1:5", "a number has no leading zero"],
  ["x.toml", "= 1", "1:1", "expected a key"],
  ["x.toml", "[a", "1:3", 'expected "]"'],
  ["x.toml", "a = [1, 2", "1:10", 'expected "," or the closing'],
  ["x.toml", "a = { b = 1", "1:12", 'expected "," or the closing'],
  ["x.toml", `a = ${"[".repeat(100_000)}`, "1:37", "nested too deeply"],
  ["x.toml", '{"a":1}', "1:1", "expected a key"],
];

for (const [file, text, place, message] of BROKEN) {
  const shown = JSON.stringify(text.slice(0, 30));
  Deno.test(`readDocument() refuses ${shown} in ${file}`, async () => {
    const error = await assertRejects(
      () => readDocument(text, file),
      ConfigSyntaxError,
      message,
    ) as ConfigSyntaxError;
    assertEquals(lineColumn(text, error.offset), place);
    assertEquals(error.message.includes("hunter"), false);
  });
}

Deno.test("lineColumn() counts lines and characters from 1", () => {
  const text = "\ufeffab\r\ncd\re😀f\n";
  assertEquals(lineColumn(text, 1), "1:1");
  assertEquals(lineColumn(text, 2), "1:2");
  assertEquals(lineColumn(text, 5), "2:1");
  assertEquals(lineColumn(text, 8), "3:1");
  assertEquals(lineColumn(text, 11), "3:3");
  assertEquals(lineColumn(text, 13), "4:1");
});
