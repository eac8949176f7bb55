/**
 * The functions that this folder takes from the library noble-ciphers, in one
 * place so that its name and version stand once.
 *
 * @module
 */

export { gcm, unsafe as aesBlock } from "npm:@noble/ciphers@2.4.0/aes.js";
export {
  chacha20,
  chacha20orig,
  chacha20poly1305,
  hchacha,
  xchacha20,
  xchacha20poly1305,
} from "npm:@noble/ciphers@2.4.0/chacha.js";
export { poly1305 } from "npm:@noble/ciphers@2.4.0/_poly1305.js";
export { salsa20 } from "npm:@noble/ciphers@2.4.0/salsa.js";
export { equalBytes } from "npm:@noble/ciphers@2.4.0/utils.js";
