/**
 * The method table: every cipher by the name that configurations use, with
 * the sizes that its wire format needs. Pure data.
 *
 * @module
 */

/** How a method frames its bytes. */
export type MethodKind = "aead" | "stream" | "table";

/** One row of the method table. */
export interface CipherMethod {
  /** The name in a configuration, lower case. */
  readonly name: string;
  /** How the bytes are framed. */
  readonly kind: MethodKind;
  /** Bytes of the master key and of the subkey. */
  readonly keyLength: number;
  /** Bytes of the salt (AEAD) or the IV (stream) before the ciphertext. */
  readonly saltLength: number;
  /** Bytes of the AEAD nonce; 0 for others. */
  readonly nonceLength: number;
  /** Bytes of the AEAD tag; 0 for others. */
  readonly tagLength: number;
  /** The name of the cipher proper, the same for aliases of one cipher. */
  readonly cipher: string;
  /** The only provider that may serve it; undefined: the first that can. */
  readonly provider: string | undefined;
}
