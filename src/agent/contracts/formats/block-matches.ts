/**
 * Finds what repeats in a block: the half of an LZ77 compressor that Snappy and LZ4 have in common. Greedy, with one
 * hash table of the last place of each four bytes, as both formats' own fast compressors do it.
 */

/** Both formats hold an offset in 16 bits. */
const offsetMax = 65_535;
const matchBytesMin = 4;
/** LZ4's rules, harmless for Snappy: the last 5 bytes are literals, and no match begins in the last 12. */
const literalBytesAtEnd = 5;
const noMatchBytesAtEnd = 12;
const hashBits = 14;
/** Knuth's multiplier for 32 bits, which both formats' own compressors are near to. */
const hashMultiplier = 0x9e37_79b1;
/** After this many misses (as a power of two) the search takes longer steps: incompressible bytes cost little. */
const missesPerStepBits = 5;

/** Told of each match in order: literals from `literals` to `at`, then `length` bytes from `offset` bytes before. */
type TakeMatch = (literals: number, at: number, offset: number, length: number) => void;

const table = new Int32Array(1 << hashBits);

/** Calls `take` for each match. @returns where the literals begin that end the block. */
export function findMatches(block: Uint8Array, take: TakeMatch): number {
  const lastStart = block.length - noMatchBytesAtEnd;
  const end = block.length - literalBytesAtEnd;
  table.fill(-1);
  let literals = 0;
  let at = 0;
  let misses = 0;
  while (at <= lastStart) {
    const word = wordAt(block, at);
    const slot = Math.imul(word, hashMultiplier) >>> (32 - hashBits);
    const before = table[slot] as number;
    table[slot] = at;
    if (before < 0 || at - before > offsetMax || wordAt(block, before) !== word) {
      at += 1 + (misses >> missesPerStepBits);
      misses += 1;
      continue;
    }
    let length = matchBytesMin;
    while (at + length < end && block[before + length] === block[at + length]) length += 1;
    take(literals, at, at - before, length);
    at += length;
    literals = at;
    misses = 0;
  }
  return literals;
}

function wordAt(block: Uint8Array, at: number): number {
  return (
    (block[at] as number) |
    ((block[at + 1] as number) << 8) |
    ((block[at + 2] as number) << 16) |
    ((block[at + 3] as number) << 24)
  );
}
