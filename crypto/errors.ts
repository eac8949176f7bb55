/**
 * The one error class of this folder.
 *
 * @module
 */

/**
 * Why a cipher cannot be had or used:
 *
 * - `unknown_method`: no method has that name.
 * - `bad_key`: the text of a key is not one of the method, or two users of a
 *   port cannot be told by theirs.
 * - `no_library`: a native library cannot be loaded.
 * - `not_supported`: no loaded library has the method's cipher.
 * - `library_failure`: a library refused a call that should have worked.
 */
export type CipherErrorCode =
  | "unknown_method"
  | "bad_key"
  | "no_library"
  | "not_supported"
  | "library_failure";

/**
 * Thrown when a cipher cannot be had or used. Bytes that do not verify are
 * never a reason: those are return values.
 */
export class CipherError extends Error {
  /** The class, for logs. */
  override readonly name = "CipherError";
  /** What kind of failure it is. */
  readonly code: CipherErrorCode;

  /**
   * Makes an error.
   *
   * @param code What kind of failure it is.
   * @param message `Cannot <action> <object>: <detail>`.
   * @param options The cause, if another error led to this one.
   */
  constructor(code: CipherErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
