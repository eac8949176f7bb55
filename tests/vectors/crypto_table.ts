/**
 * The published tables of the `table` method, in hexadecimal: the vectors of
 * the original implementation, shadowsocks/crypto/table.py.
 *
 * @module
 */

/** Passwords and their substitutions, ciphertext by plaintext. */
export const TABLE_VECTORS = [
  {
    password: "foobar!",
    encrypt:
      "3c35548ad95e581727f2db230c9da5b5ff8f53f7a2101fd1beab7341262915f5" +
      "ec2e793ea6e92c9a9991e63180d8ad1df17740e5c267836e1ac5da3bcc381b22" +
      "8ddd95efc0c3189baab70bfed52589e24bcb371348f8168121afb20ac6474d24" +
      "71a73002758c8e42c7e8f3207b36335239b157fb96c48505fd8208b80e98e703" +
      "ba9f4c59e4cd9c60a392125b8455506dacb0690d32eb7f00bd5f6288fac86cb3" +
      "d3d66aa84e4f4ad21e49c997d07265ae5c3478f00fa9dcb651e02bb92863b411" +
      "d49e2a5a09bf2d061904de437e01747cce453d074461ca3ff4141c3a5d866890" +
      "e393667687942fee56707a466bd7648bdfe1a4ed6f7dcfa0bbf6eaa1bcc1f9fc",
  },
  {
    password: "barfoo!",
    encrypt:
      "7c1eaaf71b7fe03b0d16c44c489a20d10402833e6533e609a60b6350d07024f8" +
      "51668258da26a80ff1e4a7759e290ab4c232ccf3f6fb1dc6dbd2c315365bcbdd" +
      "4639b711933185414d37ca7aa2a9bcc8be7d3ff4601f6b6a4a8f74944e2e0189" +
      "966eb5385f8b3a03e742a58ef22bc09d59af6ddc8000b22aff14d6b953a0fd07" +
      "175c6f991ae221b09012d8d41c9747cedeb608aecdc998f09b6cdf68ef62a4d3" +
      "b822c10e72bb28fe0c435dd9065e10135256f518c586848ae57905ebee552f67" +
      "71b345fa2d879c193d4b2c92bd54cfac77357bba78ab44e39188645a304f9f95" +
      "27d5ec7e343ce1c76949e9fc76d7237340256181a1b157ed8dadbfa38ceae8f9",
  },
] as const;
