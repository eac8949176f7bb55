/**
 * How a client's first segments look to a censor that blocks what is wholly
 * encrypted: the exemptions of "How the Great Firewall of China Detects and
 * Blocks Fully Encrypted Traffic" (Wu and others, USENIX Security 2023,
 * section 4).
 *
 * @module
 */

/** Bits set a byte at which traffic looks encrypted: between these. */
const FEW_BITS = 3.4;
const MANY_BITS = 4.6;
/** So many printable bytes at the beginning, or in a row, exempt. */
const PRINTABLE_HEAD = 6;
const PRINTABLE_RUN = 20;

/**
 * Tells whether a first segment would be let pass by that rule.
 *
 * @param segment The bytes.
 */
export function isExempt(segment: Uint8Array): boolean {
  const { length } = segment;
  if (length === 0) return true;
  let bits = 0;
  let printable = 0;
  let run = 0;
  let longest = 0;
  for (const byte of segment) {
    for (let rest = byte; rest > 0; rest &= rest - 1) bits++;
    if (isPrintable(byte)) {
      printable++;
      longest = Math.max(longest, ++run);
    } else run = 0;
  }
  const perByte = bits / length;
  return perByte <= FEW_BITS || perByte >= MANY_BITS ||
    length >= PRINTABLE_HEAD &&
      segment.subarray(0, PRINTABLE_HEAD).every(isPrintable) ||
    printable * 2 > length || longest > PRINTABLE_RUN || isKnown(segment);
}

function isPrintable(byte: number): boolean {
  return byte >= 0x20 && byte <= 0x7e;
}

/** TLS records, and requests of HTTP. */
function isKnown(segment: Uint8Array): boolean {
  const [first, second, third] = segment;
  if ((first === 0x16 || first === 0x17) && second === 3 && third! <= 0x0f) {
    return true;
  }
  const head = new TextDecoder().decode(segment.subarray(0, 5));
  return /^(?:GET|PUT|POST|HEAD) /.test(head);
}
