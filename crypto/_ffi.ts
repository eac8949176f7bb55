/**
 * What every binding of a native library needs: opening the first of several
 * file names, and C strings in both directions.
 *
 * @module
 */

import { CipherError } from "./errors.ts";

/**
 * The functions of a library, with every buffer taken as a plain view: Deno's
 * own types ask for views of a certain kind of memory, though any will do.
 */
export type NativeSymbols<S extends Deno.ForeignLibraryInterface> = {
  readonly [K in keyof Deno.DynamicLibrary<S>["symbols"]]: AnyViews<
    Deno.DynamicLibrary<S>["symbols"][K]
  >;
};

/** A function that takes any views. */
export type AnyViews<F> = F extends (...values: infer A) => infer R
  ? (...values: { [I in keyof A]: AnyView<A[I]> }) => R
  : F;

/** A parameter that takes any view, if it takes a view. */
export type AnyView<V> = BufferSource extends V ? ArrayBufferView | null : V;

/** The file names to try for one library, by operating system. */
export interface LibraryNames {
  /** For Linux and every system not named below. */
  readonly linux: readonly string[];
  /** For macOS. */
  readonly darwin: readonly string[];
  /** For Windows. */
  readonly windows: readonly string[];
}

/** Which library to load. */
export interface LibraryRequest {
  /** What people call it, for messages: `OpenSSL`. */
  readonly title: string;
  /** File names to try in order when no path is given. */
  readonly names: LibraryNames;
  /** A path chosen by the user; nothing else is then tried. */
  readonly path?: string | undefined;
}

/**
 * Opens a native library: the user's path if there is one, else the first of
 * the names that loads and has every symbol that is not optional. Never asks
 * for permission at a terminal: what has not been granted counts as denied.
 *
 * @param symbols The functions to bind.
 * @param request Which library.
 * @returns The library; the caller closes it, or keeps it for good.
 * @throws {CipherError} `no_library`, naming each file and why it failed.
 */
export function loadLibrary<const S extends Deno.ForeignLibraryInterface>(
  symbols: S,
  request: LibraryRequest,
): Deno.DynamicLibrary<S> {
  const { title, path } = request;
  const names = path === undefined ? namesHere(request.names) : [path];
  const reasons: string[] = [];
  let cause: unknown;
  for (const name of names) {
    try {
      requireFfiPermission(name);
      return Deno.dlopen(name, symbols);
    } catch (error) {
      cause = error;
      reasons.push(`${name}: ${firstLine(error)}`);
    }
  }
  const fix = path === undefined
    ? `install ${title} or name its file in the configuration`
    : `name the file of a usable ${title}`;
  throw new CipherError(
    "no_library",
    `Cannot load ${title}: ${reasons.join("; ")}; ${fix}`,
    { cause },
  );
}

/**
 * Memory of a fixed place, with its pointer made once: to pass the pointer
 * costs a native call 1 ns, to pass a view 17.
 */
export class NativeBuffer {
  /** The memory. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where it is. */
  readonly pointer: Deno.PointerObject;

  /**
   * Reserves the memory.
   *
   * @param length Bytes of it, at least one.
   */
  constructor(length: number) {
    // An ArrayBuffer of its own never moves; a small typed array may.
    this.bytes = new Uint8Array(new ArrayBuffer(length));
    this.pointer = Deno.UnsafePointer.of(this.bytes)!;
  }

  /**
   * The pointer to a place inside.
   *
   * @param offset Bytes from the beginning.
   */
  at(offset: number): Deno.PointerObject {
    return Deno.UnsafePointer.offset(this.pointer, offset)!;
  }
}

/**
 * From this length on the memory of a typed array is its own and never moves;
 * that of a short one may lie where the garbage collector tidies up.
 */
export const FIXED_LENGTH = 4096;

/**
 * The places of two buffers that live on. A number for a native call's `u64`
 * costs 3 ns, a view into the buffer 35 and its collection as garbage.
 */
export class BufferPlaces {
  #first: Uint8Array | undefined;
  #firstAddress = 0n;
  #second: Uint8Array | undefined;
  #secondAddress = 0n;

  /**
   * The address of a byte. Two buffers are remembered, and kept alive.
   *
   * @param bytes At least {@linkcode FIXED_LENGTH} long.
   * @param offset The byte; the caller has checked the range.
   */
  at(bytes: Uint8Array, offset: number): bigint {
    if (bytes !== this.#first) {
      if (bytes === this.#second) {
        return BigInt.asUintN(64, this.#secondAddress + BigInt(offset));
      }
      this.#remember(bytes);
    }
    return BigInt.asUintN(64, this.#firstAddress + BigInt(offset));
  }

  #remember(bytes: Uint8Array): void {
    const pointer = Deno.UnsafePointer.of(bytes as Uint8Array<ArrayBuffer>);
    this.#second = this.#first;
    this.#secondAddress = this.#firstAddress;
    this.#first = bytes;
    this.#firstAddress = BigInt(Deno.UnsafePointer.value(pointer));
  }
}

/** The places of the buffers that a library reads and writes. */
export interface Places {
  /** Those that are read. */
  readonly input: BufferPlaces;
  /** Those that are written. */
  readonly output: BufferPlaces;
}

/**
 * Encodes a C string.
 *
 * @param text Text without NUL.
 * @returns Its UTF-8 bytes and a NUL.
 */
export function cString(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}

/**
 * Reads a C string.
 *
 * @param pointer Where it starts; null gives the empty text.
 * @returns The text.
 */
export function readCString(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}

function namesHere(names: LibraryNames): readonly string[] {
  switch (Deno.build.os) {
    case "darwin":
      return names.darwin;
    case "windows":
      return names.windows;
    default:
      return names.linux;
  }
}

/** Throws unless the file may be loaded without asking anybody. */
function requireFfiPermission(path: string): void {
  const { state } = Deno.permissions.querySync({ name: "ffi", path });
  if (state !== "granted") {
    throw new Deno.errors.NotCapable("native libraries are not allowed");
  }
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const end = text.indexOf("\n");
  return end < 0 ? text : text.slice(0, end);
}
