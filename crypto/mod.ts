/**
 * Ciphers: the method table, the libraries that serve it, and what turns the
 * bytes of connections and packets into ciphertext and back.
 *
 * @module
 */

export type {
  OpenPacketOptions,
  PacketPart,
  SealPacketOptions,
} from "./_framing.ts";
export { Cryptor, DECRYPT_FAILED } from "./cryptor.ts";
export { CipherError, type CipherErrorCode } from "./errors.ts";
export { deriveKey } from "./key.ts";
export {
  CIPHER_METHODS,
  type CipherMethod,
  findMethod,
  type MethodKind,
  methodNames,
} from "./methods.ts";
export type {
  AeadCipher,
  AeadKey,
  AeadPart,
  AeadSession,
  CryptoProvider,
  StreamCipher,
  StreamState,
} from "./provider.ts";
export { openProviders, type ProviderPaths, ProviderSet } from "./providers.ts";
export { CipherSuite } from "./suite.ts";
export * from "./salt_filter.ts";
export * from "./hmac.ts";
