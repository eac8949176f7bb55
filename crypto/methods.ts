/**
 * The method table: every cipher by the name that configurations use, with
 * the sizes that its wire format needs. Pure data.
 *
 * @module
 */

/** How a method frames its bytes. */
export type MethodKind = "aead" | "stream" | "table";

/**
 * Which wire protocol a method belongs to: those of before 2022 (SIP004, SIP007
 * and the streams), or the 2022 edition (SIP022).
 */
export type MethodEdition = "classic" | "2022";

/** One row of the method table. */
export interface CipherMethod {
  /** The name in a configuration, lower case. */
  readonly name: string;
  /** How the bytes are framed. */
  readonly kind: MethodKind;
  /** The wire protocol. */
  readonly edition: MethodEdition;
  /**
   * Bytes of the master key and of the subkey; 0 where the password itself is
   * the key.
   */
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
  /**
   * Whether it has no authentication, so that whoever is on the path can
   * change and redirect what is sent. Every stream cipher and the table.
   */
  readonly legacy: boolean;
}

/** The sizes of the AES and Camellia families. */
const KEY_BITS = [128, 192, 256] as const;

/** Every method by name; 56 of them. */
export const CIPHER_METHODS: ReadonlyMap<string, CipherMethod> = new Map(
  rows().map((row) => [row.name, row]),
);

/**
 * The names of all methods, for messages and help texts.
 *
 * @returns The names in the order of the table, AEAD first.
 */
export function methodNames(): string[] {
  return [...CIPHER_METHODS.keys()];
}

/**
 * Finds a method.
 *
 * @param name Its name in any case.
 * @returns The row; undefined if there is none.
 */
export function findMethod(name: string): CipherMethod | undefined {
  return CIPHER_METHODS.get(name.toLowerCase());
}

/**
 * Tells whether one port may serve several users with a method: something in
 * what a client sends must show whose it is. Of 2017 that is the key which opens
 * it, of 2022 an identity header.
 *
 * @param method The method.
 */
export function takesUsers(method: CipherMethod): boolean {
  const { kind, edition } = method;
  return edition === "2022" ? hasIdentityHeaders(method) : kind === "aead";
}

/**
 * Tells whether a method has identity headers.
 *
 * @param method One of the 2022 edition.
 * @returns True for AES (SIP023).
 */
export function hasIdentityHeaders({ cipher }: CipherMethod): boolean {
  return cipher.startsWith("aes-");
}

function rows(): CipherMethod[] {
  const table: CipherMethod[] = [];

  for (const bits of KEY_BITS) table.push(aead(`aes-${bits}-gcm`, bits / 8));
  table.push(aead("chacha20-ietf-poly1305", 32));
  table.push(aead("xchacha20-ietf-poly1305", 32, 24));
  for (const bits of KEY_BITS) table.push(aead(`aes-${bits}-ocb`, bits / 8));
  // The original construction with a nonce of 8 bytes, not RFC 8439.
  table.push(aead("chacha20-poly1305", 32, 8));

  table.push(edition2022("aes-128-gcm", 16));
  table.push(edition2022("aes-256-gcm", 32));
  table.push({
    ...edition2022("chacha20-poly1305", 32),
    cipher: "chacha20-ietf-poly1305",
  });

  for (const mode of ["cfb", "ctr", "ofb", "cfb8", "cfb1"]) {
    for (const bits of KEY_BITS) {
      table.push(stream(`aes-${bits}-${mode}`, bits / 8, 16));
    }
  }
  for (const bits of KEY_BITS) {
    table.push(stream(`camellia-${bits}-cfb`, bits / 8, 16));
  }
  table.push(stream("chacha20", 32, 8));
  table.push(stream("chacha20-ietf", 32, 12));
  table.push(stream("xchacha20", 32, 24));
  table.push(stream("salsa20", 32, 8));
  table.push(stream("bf-cfb", 16, 8));
  table.push(stream("cast5-cfb", 16, 8));
  table.push(stream("des-cfb", 8, 8));
  table.push(stream("idea-cfb", 16, 8));
  table.push(stream("rc2-cfb", 16, 8));
  table.push(stream("seed-cfb", 16, 16));
  table.push(stream("rc4-md5", 16, 16));
  table.push(stream("rc4", 16, 0));

  table.push(only("sodium", aead("aes-256-gcm", 32)));
  for (const bits of KEY_BITS) {
    table.push(only("mbedtls", aead(`aes-${bits}-gcm`, bits / 8)));
    table.push(only("mbedtls", stream(`aes-${bits}-ctr`, bits / 8, 16)));
    for (const family of ["aes", "camellia"]) {
      table.push(only("mbedtls", {
        ...stream(`${family}-${bits}-cfb`, bits / 8, 16),
        name: `${family}-${bits}-cfb128`,
      }));
    }
  }

  table.push({ ...stream("table", 0, 0), kind: "table" });
  return table;
}

/** Salts are as long as keys (SIP004); every tag has 16 bytes. */
function aead(name: string, keyLength: number, nonceLength = 12): CipherMethod {
  return {
    ...stream(name, keyLength, keyLength),
    kind: "aead",
    nonceLength,
    tagLength: 16,
    legacy: false,
  };
}

/** SIP022: its key is no password, and salts are as long as keys. */
function edition2022(cipher: string, keyLength: number): CipherMethod {
  return {
    ...aead(cipher, keyLength),
    name: `2022-blake3-${cipher}`,
    edition: "2022",
  };
}

function stream(
  name: string,
  keyLength: number,
  saltLength: number,
): CipherMethod {
  return {
    name,
    kind: "stream",
    edition: "classic",
    keyLength,
    saltLength,
    nonceLength: 0,
    tagLength: 0,
    cipher: name,
    provider: undefined,
    legacy: true,
  };
}

/** The same cipher under a name that asks for one library. */
function only(provider: string, method: CipherMethod): CipherMethod {
  return { ...method, name: `${provider}:${method.name}`, provider };
}
