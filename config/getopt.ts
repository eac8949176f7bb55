/**
 * Reads a command line with the habits of getopt: `-t10`, `-vv`, `--name=x`,
 * `--name x`, unique prefixes of long names, and `--` as the end.
 *
 * `@std/cli/parse-args` cannot stand here: it knows no option that must have a
 * value (`-c` as the last word becomes an empty string), no prefixes, and it
 * reports neither; scripts rely on all three and on these messages.
 *
 * @module
 */

/** An option that a command line may have. */
export interface Option {
  /** One letter, without the dash. */
  readonly short?: string | undefined;
  /** The long name, without dashes. */
  readonly long?: string | undefined;
  /** Whether a value follows. */
  readonly takesValue: boolean;
  /** Words that are a value of the option without its name. */
  readonly bare?: RegExp;
}

/** An option as it was given. */
export interface Given<T extends Option> {
  /** The option. */
  readonly option: T;
  /** As messages name it: `-c` or `--config`. */
  readonly name: string;
  /** The value; empty for an option without one. */
  readonly value: string;
}

/** What {@linkcode getopt} found: the options in order, or what is wrong. */
export type GetoptResult<T extends Option> =
  | { readonly kind: "options"; readonly given: readonly Given<T>[] }
  | { readonly kind: "error"; readonly message: string };

/**
 * Reads a command line. Messages never repeat a value: it may be a password.
 *
 * @param args The words after the program's name.
 * @param options The options it may have.
 * @returns The options in the order given, or the first mistake.
 */
export function getopt<T extends Option>(
  args: readonly string[],
  options: readonly T[],
): GetoptResult<T> {
  const given: Given<T>[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--" && i === args.length - 1) break;
    const bare = options.find((option) => option.bare?.test(arg));
    if (bare !== undefined) {
      given.push({ option: bare, name: `--${bare.long}`, value: arg });
      continue;
    }
    if (arg === "--" || arg === "-" || !arg.startsWith("-")) {
      const position = arg === "--" ? i + 2 : i + 1;
      return error(
        `argument ${position} not recognized: there are options only; ` +
          "a file with settings needs -c before it",
      );
    }
    const next = args[i + 1];
    const found = arg.startsWith("--")
      ? readLong(arg, { next, options })
      : readCluster(arg, { next, options });
    if (typeof found === "string") return error(found);
    given.push(...found.given);
    if (found.tookNext) i++;
  }
  return { kind: "options", given };
}

interface Around<T> {
  readonly next: string | undefined;
  readonly options: readonly T[];
}

interface Found<T extends Option> {
  readonly given: readonly Given<T>[];
  readonly tookNext: boolean;
}

function error<T extends Option>(message: string): GetoptResult<T> {
  return { kind: "error", message };
}

function readLong<T extends Option>(
  arg: string,
  { next, options }: Around<T>,
): Found<T> | string {
  const equals = arg.indexOf("=");
  const typed = equals < 0 ? arg.slice(2) : arg.slice(2, equals);
  const inline = equals < 0 ? undefined : arg.slice(equals + 1);
  const matches = options.filter((option) => option.long?.startsWith(typed));
  const option = matches.find((match) => match.long === typed) ?? matches[0];
  if (option === undefined) return `option --${typed} not recognized`;
  if (matches.length > 1 && option.long !== typed) {
    return `option --${typed} not a unique prefix`;
  }
  const name = `--${option.long}`;
  if (!option.takesValue) {
    if (inline !== undefined) return `option ${name} must not have an argument`;
    return { given: [{ option, name, value: "" }], tookNext: false };
  }
  const value = inline ?? next;
  if (value === undefined) return `option ${name} requires argument`;
  return {
    given: [{ option, name, value }],
    tookNext: inline === undefined,
  };
}

/** `-vvt10` is `-v -v -t 10`. */
function readCluster<T extends Option>(
  arg: string,
  { next, options }: Around<T>,
): Found<T> | string {
  const given: Given<T>[] = [];
  const letters = [...arg.slice(1)];
  for (let i = 0; i < letters.length; i++) {
    const letter = letters[i]!;
    const name = `-${letter}`;
    const option = options.find((candidate) => candidate.short === letter);
    if (option === undefined) return `option ${name} not recognized`;
    if (!option.takesValue) {
      given.push({ option, name, value: "" });
      continue;
    }
    const inline = letters.slice(i + 1).join("");
    const value = inline !== "" ? inline : next;
    if (value === undefined) return `option ${name} requires argument`;
    given.push({ option, name, value });
    return { given, tookNext: inline === "" };
  }
  return { given, tookNext: false };
}
