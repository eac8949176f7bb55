/**
 * Ciphers: the method table, the libraries that serve it, their AEAD and stream
 * ciphers, and keys. What is sent under them is a matter of `shadowsocks/`.
 *
 * @module
 */

export { CipherError, type CipherErrorCode } from "./errors.ts";
export { deriveKey, md5 } from "./key.ts";
export {
  CIPHER_METHODS,
  type CipherMethod,
  findMethod,
  hasIdentityHeaders,
  type MethodEdition,
  type MethodKind,
  methodNames,
  takesUsers,
} from "./methods.ts";
export type {
  AeadCipher,
  AeadKey,
  AeadPart,
  AeadSession,
  BlockCipher,
  BlockKey,
  CryptoProvider,
  StreamCipher,
  StreamState,
} from "./provider.ts";
export { openProviders, type ProviderPaths, ProviderSet } from "./providers.ts";
export * from "./hmac.ts";
