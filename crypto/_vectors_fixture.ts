/**
 * Published test vectors of the ciphers.
 *
 * @module
 */

/** A sealed message. All values but names in hexadecimal digits. */
export interface AeadVector {
  /** Where it was published, or how it was made. */
  readonly origin: string;
  readonly method: string;
  readonly key: string;
  readonly nonce: string;
  readonly plaintext: string;
  readonly sealed: string;
}

/** An encrypted message. All values but names in hexadecimal digits. */
export interface StreamVector {
  /** Where it was published, or how it was made. */
  readonly origin: string;
  readonly method: string;
  readonly key: string;
  readonly iv: string;
  readonly plaintext: string;
  readonly ciphertext: string;
}

/** McGrew and Viega, The Galois/Counter Mode of Operation, appendix B. */
const GCM_KEY = "feffe9928665731c6d6a8f9467308308";
const GCM_NONCE = "cafebabefacedbaddecaf888";
const GCM_PLAINTEXT =
  "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" +
  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255";

/** RFC 7253, appendix A. */
const OCB_KEY = "000102030405060708090a0b0c0d0e0f";

/** Counts up from 0: the plaintexts of RFC 7253. */
const COUNTING = "000102030405060708090a0b0c0d0e0f1011121314151617" +
  "18191a1b1c1d1e1f2021222324252627";

/** Vectors without associated data, which shadowsocks does not have. */
export const AEAD_VECTORS: readonly AeadVector[] = [
  {
    origin: "GCM test case 1",
    method: "aes-128-gcm",
    key: "00".repeat(16),
    nonce: "00".repeat(12),
    plaintext: "",
    sealed: "58e2fccefa7e3061367f1d57a4e7455a",
  },
  {
    origin: "GCM test case 2",
    method: "aes-128-gcm",
    key: "00".repeat(16),
    nonce: "00".repeat(12),
    plaintext: "00".repeat(16),
    sealed: "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf",
  },
  {
    origin: "GCM test case 3",
    method: "aes-128-gcm",
    key: GCM_KEY,
    nonce: GCM_NONCE,
    plaintext: GCM_PLAINTEXT,
    sealed: "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e" +
      "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985" +
      "4d5c2af327cd64a62cf35abd2ba6fab4",
  },
  {
    origin: "GCM test case 7",
    method: "aes-192-gcm",
    key: "00".repeat(24),
    nonce: "00".repeat(12),
    plaintext: "",
    sealed: "cd33b28ac773f74ba00ed1f312572435",
  },
  {
    origin: "GCM test case 9",
    method: "aes-192-gcm",
    key: GCM_KEY + GCM_KEY.slice(0, 16),
    nonce: GCM_NONCE,
    plaintext: GCM_PLAINTEXT,
    sealed: "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c" +
      "7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710acade256" +
      "9924a7c8587336bfb118024db8674a14",
  },
  {
    origin: "GCM test case 13",
    method: "aes-256-gcm",
    key: "00".repeat(32),
    nonce: "00".repeat(12),
    plaintext: "",
    sealed: "530f8afbc74536b9a963b4f1c4cb738b",
  },
  {
    origin: "GCM test case 15",
    method: "aes-256-gcm",
    key: GCM_KEY + GCM_KEY,
    nonce: GCM_NONCE,
    plaintext: GCM_PLAINTEXT,
    sealed: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa" +
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad" +
      "b094dac5d93471bdec1a502270e3cc6c",
  },
  {
    origin: "RFC 7253, nonce …00",
    method: "aes-128-ocb",
    key: OCB_KEY,
    nonce: "bbaa99887766554433221100",
    plaintext: "",
    sealed: "785407bfffc8ad9edcc5520ac9111ee6",
  },
  {
    origin: "RFC 7253, nonce …03",
    method: "aes-128-ocb",
    key: OCB_KEY,
    nonce: "bbaa99887766554433221103",
    plaintext: COUNTING.slice(0, 16),
    sealed: "45dd69f8f5aae72414054cd1f35d82760b2cd00d2f99bfa9",
  },
  {
    origin: "RFC 7253, nonce …06",
    method: "aes-128-ocb",
    key: OCB_KEY,
    nonce: "bbaa99887766554433221106",
    plaintext: COUNTING.slice(0, 32),
    sealed: "5ce88ec2e0692706a915c00aeb8b2396f40e1c743f52436bdf06d8fa1eca343d",
  },
  {
    origin: "RFC 7253, nonce …09",
    method: "aes-128-ocb",
    key: OCB_KEY,
    nonce: "bbaa99887766554433221109",
    plaintext: COUNTING.slice(0, 48),
    sealed: "221bd0de7fa6fe993eccd769460a0af2d6cded0c395b1c3c" +
      "e725f32494b9f914d85c0b1eb38357ff",
  },
  {
    origin: "RFC 7253, nonce …0F",
    method: "aes-128-ocb",
    key: OCB_KEY,
    nonce: "bbaa9988776655443322110f",
    plaintext: COUNTING,
    sealed: "4412923493c57d5de0d700f753cce0d1d2d95060122e9f15a5ddbfc5787e50b5" +
      "cc55ee507bcb084e479ad363ac366b95a98ca5f3000b1479",
  },
  {
    // That implementation gives the results of RFC 7253's iterated test,
    // which has associated data, for all three key lengths.
    origin: "AES.MODE_OCB of PyCryptodome",
    method: "aes-192-ocb",
    key: COUNTING.slice(0, 48),
    nonce: "bbaa9988776655443322110f",
    plaintext: COUNTING,
    sealed: "0da63583c1df947468d899fb2c65dc95461ac575fd010a47095e351c9aef372a" +
      "b584654f3b09baa24a3cda77ccc8fadf04cef673e1084da6",
  },
  {
    origin: "AES.MODE_OCB of PyCryptodome",
    method: "aes-256-ocb",
    key: COUNTING.slice(0, 64),
    nonce: "bbaa9988776655443322110f",
    plaintext: COUNTING,
    sealed: "38a6cba4d0d8d9e988113c62e80248ddcd2ae84fbfe18b2211a2b55faa83a6f2" +
      "7979c6ef72115dd14f343996fd83325265c5ff6ee4b74643",
  },
  {
    // The ciphertext is RFC 8439's, 2.8.2; the tag without its associated
    // data is from PyCryptodome's ChaCha20_Poly1305.
    origin: "RFC 8439, 2.8.2",
    method: "chacha20-ietf-poly1305",
    key: "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
    nonce: "070000004041424344454647",
    plaintext:
      "4c616469657320616e642047656e746c656d656e206f662074686520636c6173" +
      "73206f66202739393a204966204920636f756c64206f6666657220796f75206f" +
      "6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73" +
      "637265656e20776f756c642062652069742e",
    sealed: "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6" +
      "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36" +
      "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc" +
      "3ff4def08e4b7a9de576d26586cec64b61166a23a4681fd59456aea1d29f82477216",
  },
];

/** NIST SP 800-38A, appendix F. */
const SP_KEYS: Readonly<Record<string, string>> = {
  128: "2b7e151628aed2a6abf7158809cf4f3c",
  192: "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
  256: "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
};
const SP_IV = "000102030405060708090a0b0c0d0e0f";
const SP_COUNTER = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
const SP_PLAINTEXT =
  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51" +
  "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

/** Vectors of the stream ciphers. */
export const STREAM_VECTORS: readonly StreamVector[] = [
  ...spVectors("cfb", "F.3.13, F.3.15, F.3.17", {
    128: "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b" +
      "26751f67a3cbb140b1808cf187a4f4dfc04b05357c5d1c0eeac4c66f9ff7f2e6",
    192: "cdc80d6fddf18cab34c25909c99a417467ce7f7f81173621961a2b70171d3d7a" +
      "2e1e8a1dd59b88b1c8e60fed1efac4c9c05f9f9ca9834fa042ae8fba584b09ff",
    256: "dc7e84bfda79164b7ecd8486985d386039ffed143b28b1c832113c6331e5407b" +
      "df10132415e54b92a13ed0a8267ae2f975a385741ab9cef82031623d55b1e471",
  }),
  ...spVectors("ofb", "F.4.1, F.4.3, F.4.5", {
    128: "3b3fd92eb72dad20333449f8e83cfb4a7789508d16918f03f53c52dac54ed825" +
      "9740051e9c5fecf64344f7a82260edcc304c6528f659c77866a510d9c1d6ae5e",
    192: "cdc80d6fddf18cab34c25909c99a4174fcc28b8d4c63837c09e81700c1100401" +
      "8d9a9aeac0f6596f559c6d4daf59a5f26d9f200857ca6c3e9cac524bd9acc92a",
    256: "dc7e84bfda79164b7ecd8486985d38604febdc6740d20b3ac88f6ad82a4fb08d" +
      "71ab47a086e86eedf39d1c5bba97c4080126141d67f37be8538f5a8be740e484",
  }),
  ...spVectors("ctr", "F.5.1, F.5.3, F.5.5", {
    128: "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff" +
      "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
    192: "1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e94" +
      "1e36b26bd1ebc670d1bd1d665620abf74f78a7f6d29809585a97daec58c6b050",
    256: "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5" +
      "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6",
  }),
  // SP 800-38A stops at 18 bytes of CFB8 and 2 bytes of CFB1; the rest is
  // `openssl enc -aes-128-cfb8 -K … -iv …` of OpenSSL 3.0.19.
  ...spVectors("cfb8", "F.3.7, F.3.9, F.3.11", {
    128: "3b79424c9c0dd436bace9e0ed4586a4f32b9ded50ae3ba69d472e88267fb5052" +
      "70cbad1e257691f7c47c5038297edda32ff26d0ed19174096161ecc14086dd62",
    192: "cda2521ef0a905ca44cd057cbf0d47a0678a7bcfb6aeaa3047b38936021f48bb" +
      "b63cefdac02b2e840904efce6f4326be228683739063dc30e937ffedd63e3c94",
    256: "dc1f1a8520a64db55fcc8ac554844e889700adc6e10c63cf2d8cd2d8ce668f3e" +
      "b9191719c47444fb43bff9b9883c2cd051120402009f974998c89d195722a75b",
  }),
  ...spVectors("cfb1", "F.3.1, F.3.3, F.3.5", {
    128: "68b3a264f838f5f8c3101070d1ab4c2e22e7f950383a0b71ade4fad0095cb188" +
      "a57972c3c1882615f7511411fbebf1193997069704fc1d1f27028434c99e60f4",
    192: "9359bbb8ff599a3d90712530ca1d4f5b3eeef5b80a3be274805571771967a293" +
      "61a277b4d4e02f337a84c418901a920c17ebbf7027e2f55e46490997c5235da9",
    256: "9029c2ba5b7d440b562023deec3de5928e4fd76528e8cc3a548a0a49edf001d0" +
      "d163541e6192479f27fe19a4f75d600de033103f1d2bc1794ce1cf1464c0603b",
  }),

  // The first block of CFB with a plaintext of zeros is the cipher's own
  // output for the IV: so the block ciphers' published vectors serve.
  firstBlock("RFC 3713, appendix A", "camellia-128-cfb", {
    key: "0123456789abcdeffedcba9876543210",
    iv: "0123456789abcdeffedcba9876543210",
    ciphertext: "67673138549669730857065648eabe43",
  }),
  firstBlock("RFC 3713, appendix A", "camellia-192-cfb", {
    key: "0123456789abcdeffedcba98765432100011223344556677",
    iv: "0123456789abcdeffedcba9876543210",
    ciphertext: "b4993401b3e996f84ee5cee7d79b09b9",
  }),
  firstBlock("RFC 3713, appendix A", "camellia-256-cfb", {
    key: "0123456789abcdeffedcba987654321000112233445566778899aabbccddeeff",
    iv: "0123456789abcdeffedcba9876543210",
    ciphertext: "9acc237dff16d76c20ef7c919e3a7509",
  }),
  firstBlock("Schneier's Blowfish vectors, key of 16 bytes", "bf-cfb", {
    key: "f0e1d2c3b4a5968778695a4b3c2d1e0f",
    iv: "fedcba9876543210",
    ciphertext: "93142887ee3be15c",
  }),
  firstBlock("RFC 2144, appendix B.1", "cast5-cfb", {
    key: "0123456712345678234567893456789a",
    iv: "0123456789abcdef",
    ciphertext: "238b4fe5847e44b2",
  }),
  firstBlock("Grabbe, The DES Algorithm Illustrated", "des-cfb", {
    key: "133457799bbcdff1",
    iv: "0123456789abcdef",
    ciphertext: "85e813540f0ab405",
  }),
  firstBlock("Lai, On the Design and Security of Block Ciphers", "idea-cfb", {
    key: "00010002000300040005000600070008",
    iv: "0000000100020003",
    ciphertext: "11fbed2b01986de5",
  }),
  firstBlock("RFC 2268, section 5, effective key of 128 bits", "rc2-cfb", {
    key: "88bca90e90875a7f0f79c384627bafb2",
    iv: "0000000000000000",
    ciphertext: "2269552ab0f85ca6",
  }),
  firstBlock("RFC 4269, appendix B.1", "seed-cfb", {
    key: "00000000000000000000000000000000",
    iv: "000102030405060708090a0b0c0d0e0f",
    ciphertext: "5ebac6e0054e166819aff1cc6d346cdb",
  }),

  {
    origin: "RFC 6229, key of 128 bits",
    method: "rc4",
    key: "0102030405060708090a0b0c0d0e0f10",
    iv: "",
    plaintext: "00".repeat(32),
    ciphertext:
      "9ac7cc9a609d1ef7b2932899cde41b975248c4959014126a6e8a84f11d1a9e1c",
  },
  {
    origin: "openssl enc -rc4 -K md5(key ‖ iv), OpenSSL 3.0.19",
    method: "rc4-md5",
    key: "000102030405060708090a0b0c0d0e0f",
    iv: "101112131415161718191a1b1c1d1e1f",
    plaintext: "736861646f77736f636b73",
    ciphertext: "b5fe23bd733d72ba796374",
  },
  ...["chacha20", "chacha20-ietf"].map((method) => ({
    origin: "RFC 8439, appendix A.1, test vector 1",
    method,
    key: "00".repeat(32),
    iv: "00".repeat(method === "chacha20" ? 8 : 12),
    plaintext: "00".repeat(64),
    ciphertext:
      "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7" +
      "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586",
  })),
  {
    // Block 0 with the last byte of the nonce 2: counter 0 is the first.
    origin: "RFC 8439, appendix A.1, test vector 5",
    method: "chacha20-ietf",
    key: "00".repeat(32),
    iv: "00".repeat(11) + "02",
    plaintext: "00".repeat(64),
    ciphertext:
      "c2c64d378cd536374ae204b9ef933fcd1a8b2288b3dfa49672ab765b54ee27c7" +
      "8a970e0e955c14f3a88e741b97c286f75f8fc299e8148362fa198a39531bed6d",
  },
];

function spVectors(
  mode: string,
  sections: string,
  ciphertexts: Readonly<Record<string, string>>,
): StreamVector[] {
  return Object.entries(ciphertexts).map(([bits, ciphertext]) => ({
    origin: `NIST SP 800-38A, ${sections}`,
    method: `aes-${bits}-${mode}`,
    key: SP_KEYS[bits]!,
    iv: mode === "ctr" ? SP_COUNTER : SP_IV,
    plaintext: SP_PLAINTEXT,
    ciphertext,
  }));
}

function firstBlock(
  origin: string,
  method: string,
  values: Pick<StreamVector, "key" | "iv" | "ciphertext">,
): StreamVector {
  const plaintext = "0".repeat(values.ciphertext.length);
  return { origin, method, plaintext, ...values };
}
