// Which partition a key belongs to: Kafka's hash, so that every client puts a key in the same place.

const SEED = 0x9747b28c | 0
const MULTIPLIER = 0x5bd1e995

/** Signed 32 bits, of the first `size` bytes. Source: Kafka Utils.murmur2, MurmurHash 2 with a seed of its own. */
export function murmur2(bytes: Uint8Array, size: number = bytes.length): number {
  const wordsEnd = size & ~3
  let hash = SEED ^ size
  for (let position = 0; position < wordsEnd; position += 4) {
    const word =
      (bytes[position] as number) |
      ((bytes[position + 1] as number) << 8) |
      ((bytes[position + 2] as number) << 16) |
      ((bytes[position + 3] as number) << 24)
    const scrambled = Math.imul(word, MULTIPLIER)
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(scrambled ^ (scrambled >>> 24), MULTIPLIER)
  }
  const rest = size - wordsEnd
  if (rest === 3) hash ^= (bytes[wordsEnd + 2] as number) << 16
  if (rest >= 2) hash ^= (bytes[wordsEnd + 1] as number) << 8
  if (rest >= 1) hash = Math.imul(hash ^ (bytes[wordsEnd] as number), MULTIPLIER)
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER)
  return hash ^ (hash >>> 15)
}
