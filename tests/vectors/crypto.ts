/**
 * Published test vectors of the ciphers, in hexadecimal, each with its origin.
 * Where the origin has additional data, which shadowsocks never has, the tag
 * is left out.
 *
 * @module
 */

/** A test vector of an AEAD method. */
export interface AeadVector {
  /** Where it was published. */
  readonly origin: string;
  /** The method's name. */
  readonly method: string;
  /** The key. */
  readonly key: string;
  /** The nonce. */
  readonly nonce: string;
  /** The plaintext. */
  readonly plaintext: string;
  /** The ciphertext. */
  readonly ciphertext: string;
  /** The tag; undefined if the origin's covers additional data. */
  readonly tag: string | undefined;
}

/** A test vector of a stream method. */
export interface StreamVector {
  /** Where it was published. */
  readonly origin: string;
  /** The method's name. */
  readonly method: string;
  /** The key. */
  readonly key: string;
  /** The IV. */
  readonly iv: string;
  /** Bytes to encrypt and ignore first; 0 if left out. */
  readonly skip?: number;
  /** The plaintext; zeros if it is left out. */
  readonly plaintext?: string;
  /** The ciphertext. */
  readonly ciphertext: string;
}

/** "Ladies and Gentlemen of the class of '99", RFC 8439, 2.8.2. */
const SUNSCREEN =
  "4c616469657320616e642047656e746c656d656e206f662074686520636c6173" +
  "73206f66202739393a204966204920636f756c64206f6666657220796f75206f" +
  "6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73" +
  "637265656e20776f756c642062652069742e";

/** 80 81 … 9f. */
const RISING_KEY =
  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f";

/** McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B. */
const GCM = "GCM specification, appendix B, test case ";

/** Vectors of AEAD methods. */
export const AEAD_VECTORS: readonly AeadVector[] = [
  {
    origin: `${GCM}1`,
    method: "aes-128-gcm",
    key: "00".repeat(16),
    nonce: "00".repeat(12),
    plaintext: "",
    ciphertext: "",
    tag: "58e2fccefa7e3061367f1d57a4e7455a",
  },
  {
    origin: `${GCM}3`,
    method: "aes-128-gcm",
    key: "feffe9928665731c6d6a8f9467308308",
    nonce: "cafebabefacedbaddecaf888",
    plaintext:
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" +
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
    ciphertext:
      "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e" +
      "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985",
    tag: "4d5c2af327cd64a62cf35abd2ba6fab4",
  },
  {
    origin: `${GCM}8`,
    method: "aes-192-gcm",
    key: "00".repeat(24),
    nonce: "00".repeat(12),
    plaintext: "00".repeat(16),
    ciphertext: "98e7247c07f0fe411c267e4384b0f600",
    tag: "2ff58d80033927ab8ef4d4587514f0fb",
  },
  {
    origin: `${GCM}14`,
    method: "aes-256-gcm",
    key: "00".repeat(32),
    nonce: "00".repeat(12),
    plaintext: "00".repeat(16),
    ciphertext: "cea7403d4d606b6e074ec5d3baf39d18",
    tag: "d0d1c8a799996bf0265b98b5d48ab919",
  },
  {
    origin: "RFC 7253, appendix A, nonce …03",
    method: "aes-128-ocb",
    key: "000102030405060708090a0b0c0d0e0f",
    nonce: "bbaa99887766554433221103",
    plaintext: "0001020304050607",
    ciphertext: "45dd69f8f5aae724",
    tag: "14054cd1f35d82760b2cd00d2f99bfa9",
  },
  {
    origin: "RFC 8439, 2.8.2",
    method: "chacha20-ietf-poly1305",
    key: RISING_KEY,
    nonce: "070000004041424344454647",
    plaintext: SUNSCREEN,
    ciphertext:
      "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6" +
      "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36" +
      "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc" +
      "3ff4def08e4b7a9de576d26586cec64b6116",
    tag: undefined,
  },
  {
    origin: "Project Wycheproof, chacha20_poly1305, tcId 2",
    method: "chacha20-ietf-poly1305",
    key: "80ba3192c803ce965ea371d5ff073cf0f43b6a2ab576b208426e11409c09b9b0",
    nonce: "4da5bf8dfd5852c1ea12379d",
    plaintext: "",
    ciphertext: "",
    tag: "76acb342cf3166a5b63c0c0ea1383c8d",
  },
  {
    origin: "draft-irtf-cfrg-xchacha-03, A.3.1",
    method: "xchacha20-ietf-poly1305",
    key: RISING_KEY,
    nonce: "404142434445464748494a4b4c4d4e4f5051525354555657",
    plaintext: SUNSCREEN,
    ciphertext:
      "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb" +
      "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452" +
      "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9" +
      "21f9664c97637da9768812f615c68b13b52e",
    tag: undefined,
  },
  {
    origin: "libsodium, test/default/aead_chacha20poly1305, adlen=0",
    method: "chacha20-poly1305",
    key: "4290bcb154173531f314af57f3be3b5006da371ece272afa1b5dbdd1100a1007",
    nonce: "cd7cf67be39c794a",
    plaintext: "86d09974840bded2a5ca",
    ciphertext: "e3e446f7ede9a19b62a4",
    tag: "69e7789bcd954e658ed38423e23161dc",
  },
];

/** The keys, IV and plaintext of NIST SP 800-38A, appendix F. */
const NIST = {
  aes128: "2b7e151628aed2a6abf7158809cf4f3c",
  aes192: "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
  aes256: "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
  iv: "000102030405060708090a0b0c0d0e0f",
  counter: "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
  plaintext:
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51" +
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
} as const;

/** Vectors of stream methods. */
export const STREAM_VECTORS: readonly StreamVector[] = [
  nist("F.3.13", "aes-128-cfb", [
    "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b",
    "26751f67a3cbb140b1808cf187a4f4dfc04b05357c5d1c0eeac4c66f9ff7f2e6",
  ]),
  nist("F.3.15", "aes-192-cfb", [
    "cdc80d6fddf18cab34c25909c99a417467ce7f7f81173621961a2b70171d3d7a",
    "2e1e8a1dd59b88b1c8e60fed1efac4c9c05f9f9ca9834fa042ae8fba584b09ff",
  ]),
  nist("F.3.17", "aes-256-cfb", [
    "dc7e84bfda79164b7ecd8486985d386039ffed143b28b1c832113c6331e5407b",
    "df10132415e54b92a13ed0a8267ae2f975a385741ab9cef82031623d55b1e471",
  ]),
  nist("F.4.1", "aes-128-ofb", [
    "3b3fd92eb72dad20333449f8e83cfb4a7789508d16918f03f53c52dac54ed825",
    "9740051e9c5fecf64344f7a82260edcc304c6528f659c77866a510d9c1d6ae5e",
  ]),
  nist("F.4.3", "aes-192-ofb", [
    "cdc80d6fddf18cab34c25909c99a4174fcc28b8d4c63837c09e81700c1100401",
    "8d9a9aeac0f6596f559c6d4daf59a5f26d9f200857ca6c3e9cac524bd9acc92a",
  ]),
  nist("F.4.5", "aes-256-ofb", [
    "dc7e84bfda79164b7ecd8486985d38604febdc6740d20b3ac88f6ad82a4fb08d",
    "71ab47a086e86eedf39d1c5bba97c4080126141d67f37be8538f5a8be740e484",
  ]),
  nist("F.5.1", "aes-128-ctr", [
    "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff",
    "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
  ]),
  nist("F.5.3", "aes-192-ctr", [
    "1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e94",
    "1e36b26bd1ebc670d1bd1d665620abf74f78a7f6d29809585a97daec58c6b050",
  ]),
  nist("F.5.5", "aes-256-ctr", [
    "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5",
    "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6",
  ]),
  nist("F.3.7", "aes-128-cfb8", ["3b79424c9c0dd436bace9e0ed4586a4f32b9"]),
  nist("F.3.9", "aes-192-cfb8", ["cda2521ef0a905ca44cd057cbf0d47a0678a"]),
  nist("F.3.11", "aes-256-cfb8", ["dc1f1a8520a64db55fcc8ac554844e889700"]),
  nist("F.3.1", "aes-128-cfb1", ["68b3"]),
  nist("F.3.3", "aes-192-cfb1", ["9359"]),
  nist("F.3.5", "aes-256-cfb1", ["9029"]),
  camellia("camellia-128-cfb", NIST.aes128, "14f7646187817eb586599146b82bd719"),
  camellia("camellia-192-cfb", NIST.aes192, "c832bb9780677daa82d9b6860dcd565e"),
  camellia("camellia-256-cfb", NIST.aes256, "cf6107bb0cea7d7fb1bd31f5e7b06c93"),
  {
    origin: "eSTREAM, Salsa20/20, 256 bits, set 1, vector 0",
    method: "salsa20",
    key: `80${"00".repeat(31)}`,
    iv: "00".repeat(8),
    ciphertext:
      "e3be8fdd8beca2e3ea8ef9475b29a6e7003951e1097a5c38d23b7a5fad9f6844" +
      "b22c97559e2723c7cbbd3fe4fc8d9a0744652a83e72a9c461876af4d7ef1a117",
  },
  {
    origin: "eSTREAM, Salsa20/20, 256 bits, set 1, vector 0, bytes 192…255",
    method: "salsa20",
    key: `80${"00".repeat(31)}`,
    iv: "00".repeat(8),
    skip: 192,
    ciphertext:
      "57be81f47b17d9ae7c4ff15429a73e10acf250ed3a90a93c711308a74c6216a9" +
      "ed84cd126da7f28e8abf8bb63517e1ca98e712f4fb2e1a6aed9fdc73291faa17",
  },
  {
    origin: "draft-strombergson-chacha-test-vectors-01, TC1, 256 bits",
    method: "chacha20",
    key: "00".repeat(32),
    iv: "00".repeat(8),
    ciphertext:
      "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7" +
      "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586",
  },
  {
    origin: "draft-strombergson-chacha-test-vectors-01, TC8, 256 bits",
    method: "chacha20",
    key: "00112233445566778899aabbccddeeffffeeddccbbaa99887766554433221100",
    iv: "0f1e2d3c4b5a6978",
    ciphertext:
      "9fadf409c00811d00431d67efbd88fba59218d5d6708b1d685863fabbb0e961e" +
      "ea480fd6fb532bfd494b2151015057423ab60a63fe4f55f7a212e2167ccab931",
  },
  {
    origin: "RFC 8439, 2.4.2 (which starts at block 1)",
    method: "chacha20-ietf",
    key: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    iv: "000000000000004a00000000",
    skip: 64,
    plaintext: SUNSCREEN,
    ciphertext:
      "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b" +
      "f91b65c5524733ab8f593dabcd62b3571639d624e65152ab8f530c359f0861d8" +
      "07ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab7793736" +
      "5af90bbf74a35be6b40b8eedf2785e42874d",
  },
  {
    origin: "draft-irtf-cfrg-xchacha-03, A.3.1, as a stream from block 1",
    method: "xchacha20",
    key: RISING_KEY,
    iv: "404142434445464748494a4b4c4d4e4f5051525354555657",
    skip: 64,
    plaintext: SUNSCREEN,
    ciphertext:
      "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb" +
      "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452" +
      "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9" +
      "21f9664c97637da9768812f615c68b13b52e",
  },
  {
    origin: "RFC 6229, 128 bits, key 01…10",
    method: "rc4",
    key: "0102030405060708090a0b0c0d0e0f10",
    iv: "",
    ciphertext:
      "9ac7cc9a609d1ef7b2932899cde41b975248c4959014126a6e8a84f11d1a9e1c",
  },
  {
    origin: "E. Young, bftest, cfb64",
    method: "bf-cfb",
    key: "0123456789abcdeff0e1d2c3b4a59687",
    iv: "fedcba9876543210",
    plaintext: "37363534333231204e6f77206973207468652074696d6520666f722000",
    ciphertext: "e73214a2822139caf26ecf6d2eb9e76e3da3de04d1517200519d57a6c3",
  },
];

/** A vector of SP 800-38A; CFB8 and CFB1 have its first 18 and 2 bytes. */
function nist(
  section: string,
  method: string,
  ciphertext: readonly string[],
): StreamVector {
  const whole = ciphertext.join("");
  const bits = method.slice(4, 7) as "128" | "192" | "256";
  return {
    origin: `NIST SP 800-38A, ${section}`,
    method,
    key: NIST[`aes${bits}`],
    iv: method.endsWith("ctr") ? NIST.counter : NIST.iv,
    plaintext: NIST.plaintext.slice(0, whole.length),
    ciphertext: whole,
  };
}

function camellia(
  method: string,
  key: string,
  ciphertext: string,
): StreamVector {
  return {
    origin: "OpenSSL, evpciph_camellia, from NTT's Camellia test data",
    method,
    key,
    iv: NIST.iv,
    plaintext: NIST.plaintext.slice(0, 32),
    ciphertext,
  };
}
