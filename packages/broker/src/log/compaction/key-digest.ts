// 128 bits that stand for a key while a log is compacted: two keys with the same ones would lose a record.
// Enters: the bytes of a key. Leaves: four numbers. Under a secret drawn for each pass, so that nobody can make keys that
// collide with another one's: SipHash-1-3 with a 128-bit result (Aumasson and Bernstein, 2012).
import { assert } from '@minikafka/platform'

export const SECRET_SIZE = 16

/** Rounds for each 8 bytes of a key, and at its end. */
export type Rounds = { readonly block: number; readonly end: number }

const ROUNDS: Rounds = { block: 1, end: 3 }

export class KeyDigest {
  /** What `of` found. */
  first = 0
  second = 0
  third = 0
  fourth = 0
  readonly #rounds: Rounds
  /** Two words of 64 bits, each as low and high half. */
  readonly #secret: Int32Array

  constructor(secret: Buffer, rounds: Rounds = ROUNDS) {
    assert(secret.length === SECRET_SIZE, 'a secret has 128 bits')
    this.#rounds = rounds
    this.#secret = Int32Array.from([0, 4, 8, 12], (position) => secret.readInt32LE(position))
  }

  /**
   * Sets the four numbers for the key at `start` of `bytes`.
   *
   * 64-bit words are pairs of halves, `…l` and `…h`, in locals; the round stands here once, for calls would cost more
   * than it does. A sum of two halves carries where both have the highest bit, or one has it and the sum has not. The
   * last two steps are the end, which gives 64 bits each.
   */
  of(bytes: Uint8Array, start: number, size: number): void {
    const secret = this.#secret
    let v0l = (secret[0] as number) ^ 0x70736575
    let v0h = (secret[1] as number) ^ 0x736f6d65
    let v1l = (secret[2] as number) ^ 0x6e646f6d ^ 0xee
    let v1h = (secret[3] as number) ^ 0x646f7261
    let v2l = (secret[0] as number) ^ 0x6e657261
    let v2h = (secret[1] as number) ^ 0x6c796765
    let v3l = (secret[2] as number) ^ 0x79746573
    let v3h = (secret[3] as number) ^ 0x74656462
    const { block: blockRounds, end: endRounds } = this.#rounds
    const blocks = (size >>> 3) + 1
    for (let step = 0; step < blocks + 2; step++) {
      let low = 0
      let high = 0
      if (step < blocks) {
        const at = start + (step << 3)
        const left = size - (step << 3)
        if (left >= 8) {
          low = word(bytes, at)
          high = word(bytes, at + 4)
        } else {
          low = left >= 4 ? word(bytes, at) : part(bytes, at, left)
          high = part(bytes, at + 4, left - 4) | (size << 24)
        }
        v3l ^= low
        v3h ^= high
      } else if (step === blocks) v2l ^= 0xee
      else v1l ^= 0xdd
      const rounds = step < blocks ? blockRounds : endRounds
      for (let round = 0; round < rounds; round++) {
        let sum = (v0l + v1l) | 0
        v0h = (v0h + v1h + (((v0l & v1l) | ((v0l | v1l) & ~sum)) >>> 31)) | 0
        v0l = sum
        let old = v1l
        v1l = ((v1l << 13) | (v1h >>> 19)) ^ v0l
        v1h = ((v1h << 13) | (old >>> 19)) ^ v0h
        old = v0l
        v0l = v0h
        v0h = old

        sum = (v2l + v3l) | 0
        v2h = (v2h + v3h + (((v2l & v3l) | ((v2l | v3l) & ~sum)) >>> 31)) | 0
        v2l = sum
        old = v3l
        v3l = ((v3l << 16) | (v3h >>> 16)) ^ v2l
        v3h = ((v3h << 16) | (old >>> 16)) ^ v2h

        sum = (v0l + v3l) | 0
        v0h = (v0h + v3h + (((v0l & v3l) | ((v0l | v3l) & ~sum)) >>> 31)) | 0
        v0l = sum
        old = v3l
        v3l = ((v3l << 21) | (v3h >>> 11)) ^ v0l
        v3h = ((v3h << 21) | (old >>> 11)) ^ v0h

        sum = (v2l + v1l) | 0
        v2h = (v2h + v1h + (((v2l & v1l) | ((v2l | v1l) & ~sum)) >>> 31)) | 0
        v2l = sum
        old = v1l
        v1l = ((v1l << 17) | (v1h >>> 15)) ^ v2l
        v1h = ((v1h << 17) | (old >>> 15)) ^ v2h
        old = v2l
        v2l = v2h
        v2h = old
      }
      if (step < blocks) {
        v0l ^= low
        v0h ^= high
      } else if (step === blocks) {
        this.first = v0l ^ v1l ^ v2l ^ v3l
        this.second = v0h ^ v1h ^ v2h ^ v3h
      } else {
        this.third = v0l ^ v1l ^ v2l ^ v3l
        this.fourth = v0h ^ v1h ^ v2h ^ v3h
      }
    }
  }
}

/** Four bytes, little-endian. */
function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}

/** The first `count` bytes of such a word; none where there are fewer than one. */
function part(bytes: Uint8Array, at: number, count: number): number {
  let value = 0
  for (let index = 0; index < count; index++) value |= (bytes[at + index] as number) << (index << 3)
  return value
}
