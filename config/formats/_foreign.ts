/**
 * Recognizes files that are no configuration of this program: other formats,
 * and other programs. Loaded only when a file was refused.
 *
 * @module
 */

import { ConfigSyntaxError } from "./_place.ts";

/** The keys by which a program is known, and what to do about its file. */
const PROGRAMS: readonly (readonly [keys: readonly string[], name: string])[] =
  [
    [["proxies", "proxy-groups", "mixed-port", "proxy-providers"], "Clash"],
    [["routing", "outboundDetour"], "Xray or V2Ray"],
    [["endpoints", "experimental", "route"], "sing-box"],
    [["run_type", "remote_addr"], "Trojan"],
    [["configs", "shareOverLan"], "shadowsocks-windows"],
    [["services", "chains"], "GOST"],
  ];

/** Shorter texts can be a word; a link of SIP002 has more in Base64. */
const MIN_BASE64 = 24;

/**
 * Names the program that a configuration is for.
 *
 * @param table The keys of the file.
 * @returns What to say; undefined if no other program is recognized.
 */
export function foreignProgram(
  table: Readonly<Record<string, unknown>>,
): string | undefined {
  const name = programOf(table);
  return name === undefined
    ? undefined
    : `this is a configuration of ${name}, which is another program: take ` +
      "address, port, method and password of the server from it";
}

function programOf(
  table: Readonly<Record<string, unknown>>,
): string | undefined {
  const has = (key: string): boolean => Object.hasOwn(table, key);
  const known = PROGRAMS.find(([keys]) => keys.some(has));
  if (known !== undefined) return known[1];
  if (!has("inbounds") && !has("outbounds")) return undefined;
  // sing-box names a protocol by "type", Xray by "protocol".
  const ways = [table.inbounds, table.outbounds].flat();
  const isXray = ways.some((way) =>
    typeof way === "object" && way !== null && "protocol" in way
  );
  return isXray ? "Xray or V2Ray" : "sing-box";
}

/**
 * Names the format of a text that is neither TOML nor JSON.
 *
 * @param text The text.
 * @returns The mistake; undefined if no other format is recognized.
 */
export function foreignFormat(text: string): ConfigSyntaxError | undefined {
  const start = Math.max(0, text.search(/\S/));
  const whole = text.slice(start).trimEnd();
  const at = (message: string, offset = start): ConfigSyntaxError =>
    new ConfigSyntaxError(message, offset);
  if (/^ss:\/\/\S+$/.test(whole)) {
    return at("this is an ss:// link: give it to --server-url");
  }
  if (/^[a-z]+:\/\//.test(whole)) {
    return at("this is a list of links: give one ss:// link to --server-url");
  }
  if (/^<[!a-z?]/i.test(whole)) return at("this is HTML or XML");
  const bare = whole.replace(/[\r\n]+/g, "");
  if (bare.length >= MIN_BASE64 && /^[\w+/-]+={0,2}$/.test(bare)) {
    return at(
      "this looks like Base64, as subscriptions have it: decode it first " +
        "(base64 -d)",
    );
  }
  // `key:` begins lines, and no line has the `=` of TOML behind its key.
  const [yaml] = /^(?:[ \t]*- )?[\w.-]+:(?=\s|$)/m.exec(whole) ?? [];
  if (yaml === undefined || /^[ \t]*[\w."'-]+[ \t]*=/m.test(whole)) {
    return undefined;
  }
  const program = PROGRAMS.find(([keys]) =>
    keys.some((key) => new RegExp(`^${key}:`, "m").test(whole))
  );
  const what = program === undefined ? "YAML" : `YAML of ${program[1]}`;
  return at(
    `this looks like ${what}: expected "=" after a key, as TOML has it, or JSON`,
    start + whole.indexOf(yaml) + yaml.length - 1,
  );
}
