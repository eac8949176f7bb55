/**
 * Tests of the choice of a library.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { CipherError } from "./errors.ts";
import { findMethod } from "./methods.ts";
import { openProviders, type ProviderPaths } from "./providers.ts";

/** Opened outside of a test: native libraries stay loaded. */
const providers = await openProviders();
for (const name of ["aes-256-gcm", "salsa20", "mbedtls:aes-128-gcm"]) {
  try {
    await providers.forMethod(findMethod(name)!);
  } catch {
    // Not installed here.
  }
}

Deno.test("openProviders() throws for each file that the user chose in vain", async () => {
  const settings = ["libopenssl", "libsodium", "libmbedtls"] as const;
  for (const setting of settings) {
    const paths: ProviderPaths = { [setting]: `/nonexistent/${setting}.so` };
    const error: CipherError = await assertRejects(
      () => openProviders(paths),
      CipherError,
      `/nonexistent/${setting}.so`,
    );
    assertEquals(error.code, "no_library");
  }
});

Deno.test("ProviderSet.forMethod() gives a prefixed name its library or none", async () => {
  for (const name of ["sodium:aes-256-gcm", "mbedtls:camellia-128-cfb128"]) {
    const method = findMethod(name)!;
    try {
      const library = await providers.forMethod(method);
      assertEquals(library.name, method.provider);
    } catch (error) {
      if (!(error instanceof CipherError)) throw error;
      assert(error.message.includes(name));
    }
  }
});

Deno.test("ProviderSet.forMethod() gives the same library every time", async () => {
  const method = findMethod("aes-256-gcm")!;
  const [one, other] = await Promise.all([
    providers.forMethod(method),
    providers.forMethod(method),
  ]);
  assertStrictEquals(one, other);
});

Deno.test("ProviderSet.forMethod() throws where no library has a method", async () => {
  const method = { ...findMethod("aes-256-gcm")!, cipher: "aes-512-gcm" };
  const error: CipherError = await assertRejects(
    () => providers.forMethod(method),
    CipherError,
    "Cannot use aes-256-gcm: no library here has it",
  );
  assertEquals(error.code, "not_supported");
});

Deno.test("ProviderSet.fallbackReason tells nothing when nothing was missed", async () => {
  using set = await openProviders();
  const { name } = await set.forMethod(findMethod("table")!);
  assertEquals(name, "portable");
  assertEquals(set.fallbackReason, undefined);
});

Deno.test("openProviders() makes do without native libraries", async () => {
  const script = `
    import { findMethod } from "./methods.ts";
    import { openProviders } from "./providers.ts";
    const set = await openProviders();
    await set.forMethod(findMethod("table")!);
    const early = set.fallbackReason === undefined;
    const { name } = await set.forMethod(findMethod("aes-256-gcm")!);
    let code: string | undefined;
    try {
      await set.forMethod(findMethod("sodium:aes-256-gcm")!);
    } catch (error) {
      code = (error as { code: string }).code;
    }
    const reason = set.fallbackReason;
    console.log(JSON.stringify({ early, name, code, reason }));
  `;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--deny-ffi", "--no-prompt", "-"],
    cwd: import.meta.dirname!,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
  await using child = command.spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(script));
  await writer.close();
  const { stdout, stderr } = await child.output();
  const text = new TextDecoder().decode(stdout);
  assert(text !== "", new TextDecoder().decode(stderr));
  assertEquals(JSON.parse(text), {
    early: true,
    name: "portable",
    code: "no_library",
    reason: "native libraries are not allowed (--allow-ffi)",
  });
});
