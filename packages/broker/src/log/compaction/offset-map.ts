// Where the last record of each key stands: what a pass of compaction knows of the dirty part of a log.
// Enters: keys and offsets, ascending. Leaves: the offset of a key's last record. Memory of one size, whatever comes.
//
// Open addressing, linear probing. A slot has 20 bytes: four words of the key's digest, and the offset as its distance
// from the first one, plus 1; 0: the slot is free. Keys themselves are not kept (Kafka SkimpyOffsetMap).
import { assert, type Random } from '@minikafka/platform'
import { KeyDigest, SECRET_SIZE } from './key-digest.ts'

const SLOT_WORDS = 5
export const SLOT_BYTES = SLOT_WORDS * 4
const OFFSET_WORD = 4
/** Above it a search takes too many steps. */
const LOAD_MAX = 0.75
/** No offset may be further from the first one. */
export const SPAN_MAX = 2 ** 32 - 2

export class OffsetMap {
  readonly #slots: Uint32Array
  readonly #slotCount: number
  readonly #countMax: number
  readonly #random: Random
  #digest: KeyDigest
  #count = 0
  #firstOffset = 0

  /** `bytesMax`: all the memory that it takes, at once and for good. */
  constructor(random: Random, bytesMax: number) {
    this.#slotCount = Math.max(2, Math.floor(bytesMax / SLOT_BYTES))
    this.#countMax = Math.max(1, Math.floor(this.#slotCount * LOAD_MAX))
    this.#slots = new Uint32Array(this.#slotCount * SLOT_WORDS)
    this.#random = random
    this.#digest = new KeyDigest(random.bytes(SECRET_SIZE))
  }

  /** Of a map for so many keys, as far as that is no more than `bytesMax`. */
  static bytesFor(keyCount: number, bytesMax = Number.POSITIVE_INFINITY): number {
    const slots = Math.ceil(keyCount / LOAD_MAX) + 2
    return Math.min(slots, Math.floor(bytesMax / SLOT_BYTES)) * SLOT_BYTES
  }

  get bytes(): number {
    return this.#slots.byteLength
  }

  /** Keys in it. */
  get count(): number {
    return this.#count
  }

  get countMax(): number {
    return this.#countMax
  }

  /** Forgets all; offsets from `firstOffset` on are to come. */
  begin(firstOffset: number): void {
    this.#slots.fill(0)
    this.#count = 0
    this.#firstOffset = firstOffset
    this.#digest = new KeyDigest(this.#random.bytes(SECRET_SIZE))
  }

  /**
   * The last record of this key stands at `offset`. False: it is full, and knows no more than before.
   *
   * Shape   offsets ascend from call to call; none is further than SPAN_MAX from the first.
   */
  put(body: Uint8Array, start: number, size: number, offset: number): boolean {
    const distance = offset - this.#firstOffset
    assert(distance >= 0 && distance <= SPAN_MAX, 'an offset lies in the span of its map')
    const slots = this.#slots
    const at = this.#find(body, start, size)
    if (slots[at + OFFSET_WORD] === 0) {
      if (this.#count >= this.#countMax) return false
      const { first, second, third, fourth } = this.#digest
      slots[at] = first
      slots[at + 1] = second
      slots[at + 2] = third
      slots[at + 3] = fourth
      this.#count++
    }
    slots[at + OFFSET_WORD] = distance + 1
    return true
  }

  /** Where its last record stands; -1: it has none here. */
  get(body: Uint8Array, start: number, size: number): number {
    const distance = this.#slots[this.#find(body, start, size) + OFFSET_WORD] as number
    return distance === 0 ? -1 : this.#firstOffset + distance - 1
  }

  /** Its slot, or the free one where it belongs. There is a free one always. */
  #find(body: Uint8Array, start: number, size: number): number {
    const slots = this.#slots
    const digest = this.#digest
    digest.of(body, start, size)
    const first = digest.first >>> 0
    const second = digest.second >>> 0
    const third = digest.third >>> 0
    const fourth = digest.fourth >>> 0
    const end = slots.length
    let at = (first % this.#slotCount) * SLOT_WORDS
    while (slots[at + OFFSET_WORD] !== 0) {
      const isIt =
        slots[at] === first &&
        slots[at + 1] === second &&
        slots[at + 2] === third &&
        slots[at + 3] === fourth
      if (isIt) return at
      at += SLOT_WORDS
      if (at === end) at = 0
    }
    return at
  }
}
