/**
 * What every binding of a native library needs: a library opened by the first
 * of several file names, memory with an address, C strings in both directions
 * and the error for a call that a library refuses.
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

/** A function that takes any view where it takes a view. */
export type AnyViews<F> = F extends (...values: infer A) => infer R ? (
    ...values: {
      [I in keyof A]: BufferSource extends A[I] ? ArrayBufferView | null : A[I];
    }
  ) => R
  : F;

/** A native library that is open. */
export interface NativeLibrary<S extends Deno.ForeignLibraryInterface> {
  /** Its functions; null where an optional one is missing. */
  readonly symbols: NativeSymbols<S>;
  /** Unloads it; none of its functions may be called any more. */
  close(): void;
}

/** Which library to load. */
export interface LibraryRequest {
  /** What people call it, for messages: `OpenSSL`. */
  readonly title: string;
  /** File names to try in order when no path is given, by system. */
  readonly names: {
    /** For Linux and every system not named below. */
    readonly linux: readonly string[];
    /** For macOS. */
    readonly darwin: readonly string[];
    /** For Windows. */
    readonly windows: readonly string[];
  };
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
): NativeLibrary<S> {
  const { title, path } = request;
  /** The files by why they failed: most are missing. */
  const reasons = new Map<string, string[]>();
  let cause: unknown;
  for (const name of path === undefined ? namesHere(request) : [path]) {
    try {
      requireFfiPermission(name);
      return Deno.dlopen(name, symbols) as unknown as NativeLibrary<S>;
    } catch (error) {
      cause = error;
      const reason = firstLine(error)
        .replace(/^(?:Could not open library: )+/, "").replace(`${name}: `, "");
      reasons.set(reason, [...reasons.get(reason) ?? [], name]);
    }
  }
  const failures = [...reasons].map(([reason, names]) =>
    `${names.join(", ")}: ${reason}`
  );
  const fix = path === undefined
    ? `install ${title} or name its file in the configuration`
    : `name the file of a usable ${title}`;
  throw new CipherError(
    "no_library",
    `Cannot load ${title}: ${failures.join("; ")}; ${fix}`,
    { cause },
  );
}

/**
 * Makes a loader that opens a file once in the life of the process. For what
 * must not be unloaded, since others may use it at any time.
 *
 * @param load Loads the file, or looks in the usual places.
 * @returns The same with a memory; a failure that throws is tried again.
 */
export function oncePerPath<T>(
  load: (path: string | undefined) => T,
): (path?: string) => T {
  const loaded = new Map<string | undefined, T>();
  return (path) => {
    if (!loaded.has(path)) loaded.set(path, load(path));
    return loaded.get(path) as T;
  };
}

/**
 * The error for a call that a library refused though it should have worked.
 *
 * @param action What was to be done, such as `seal`.
 * @param title The library, such as `libsodium`.
 * @param detail What the library answered.
 * @returns The error to throw, `library_failure`.
 */
export function libraryFailure(
  action: string,
  title: string,
  detail: string,
): CipherError {
  return new CipherError(
    "library_failure",
    `Cannot ${action} with ${title}: ${detail}`,
  );
}

/**
 * Memory that does not move, with its pointer made once: measured with Deno
 * 2.9 on x86-64, to pass a pointer costs a native call 1 ns, to pass a view 17.
 */
export class NativeBuffer {
  /** The memory. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  #pointer: Deno.PointerObject | undefined;

  /**
   * Reserves the memory.
   *
   * @param length Bytes of it, at least one.
   * @param alignment The address is a multiple of this number. More than 1
   * needs the permission for native libraries at once.
   */
  constructor(length: number, alignment: number = 1) {
    // An ArrayBuffer never moves; the memory of a short array alone may.
    const whole = new Uint8Array(new ArrayBuffer(length + alignment - 1));
    const start = alignment === 1 ? 0 : padding(addressOf(whole), alignment);
    this.bytes = whole.subarray(start, start + length);
  }

  /** Where the memory is. Needs the permission for native libraries. */
  get pointer(): Deno.PointerObject {
    return this.#pointer ??= Deno.UnsafePointer.of(this.bytes)!;
  }

  /**
   * The pointer to a place inside.
   *
   * @param offset Bytes from the beginning.
   * @returns The pointer.
   */
  at(offset: number): Deno.PointerObject {
    return Deno.UnsafePointer.offset(this.pointer, offset)!;
  }
}

/**
 * The places of two buffers that live on. A number for a native call's `u64`
 * costs 3 ns, a view into the buffer 35 and its collection as garbage
 * (measured with Deno 2.9 on x86-64).
 */
export class BufferPlaces {
  #first: Uint8Array | undefined;
  #firstAddress = 0n;
  #second: Uint8Array | undefined;
  #secondAddress = 0n;

  /**
   * The address of a byte. Two buffers are remembered, and kept alive.
   *
   * @param bytes Any buffer; its memory must not be resized or given away.
   * @param offset The byte; the caller has checked the range.
   * @returns The address.
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
    this.#second = this.#first;
    this.#secondAddress = this.#firstAddress;
    this.#first = bytes;
    this.#firstAddress = addressOf(bytes);
  }
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

/**
 * The address of an array that is to stay valid. The memory of a short array
 * lies where the garbage collector moves things, until somebody asks for its
 * ArrayBuffer: that one never moves.
 */
function addressOf({ buffer, byteOffset }: Uint8Array): bigint {
  const pointer = Deno.UnsafePointer.of(buffer as ArrayBuffer);
  return BigInt(Deno.UnsafePointer.value(pointer)) + BigInt(byteOffset);
}

/** Bytes from an address to the next that is a multiple of `alignment`. */
function padding(address: bigint, alignment: number): number {
  return Number(-address & BigInt(alignment - 1));
}

function namesHere({ names }: LibraryRequest): readonly string[] {
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
