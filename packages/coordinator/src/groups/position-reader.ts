// Reads committed positions, of which a log of groups has millions: without arrays for keys and values, and with one
// string for each name however often it comes. Enters: the bytes of a record. Leaves: the record, as decodeGroupRecord has it.
import { decodeMsgpack } from '@minikafka/protocol'
import { decodeGroupRecord } from './record-codec.ts'
import type { GroupRecord } from './records.ts'

/** Power of two. A name that falls on the place of another takes it. */
const NAMES_KEPT = 4_096

type Name = { readonly bytes: Uint8Array; readonly text: string }

export class GroupRecordReader {
  readonly #names = new Array<Name | undefined>(NAMES_KEPT)
  #bytes: Uint8Array = new Uint8Array(0)
  #position = 0

  /** Shape, errors: those of decodeGroupRecord. */
  read(key: Uint8Array, value: Uint8Array | null): GroupRecord | undefined {
    return this.#readPosition(key, value) ?? decodeGroupRecord(key, value)
  }

  /** Undefined: it is something else, or not in the form that we write. */
  #readPosition(key: Uint8Array, value: Uint8Array | null): GroupRecord | undefined {
    // An array of four that begins with 1; of a value, an array of five that begins with 0.
    if (key[0] !== 0x94 || key[1] !== 1) return undefined
    this.#bytes = key
    this.#position = 2
    const groupId = this.#name()
    const topicId = this.#name()
    const partition = this.#integer()
    if (groupId === undefined || topicId === undefined || partition === undefined) return undefined
    if (this.#position !== key.length) return undefined
    if (value === null) return { type: 'Offset', groupId, topicId, partition, value }
    if (value[0] !== 0x95 || value[1] !== 0) return undefined
    this.#bytes = value
    this.#position = 2
    const offset = this.#integer()
    const leaderEpoch = this.#integer()
    const metadata = this.#nullableName()
    const commitTimestamp = this.#integer()
    if (offset === undefined || leaderEpoch === undefined) return undefined
    if (metadata === undefined || commitTimestamp === undefined) return undefined
    if (this.#position !== value.length) return undefined
    const position = { offset, leaderEpoch, metadata, commitTimestamp }
    return { type: 'Offset', groupId, topicId, partition, value: position }
  }

  #nullableName(): string | null | undefined {
    if (this.#bytes[this.#position] !== 0xc0) return this.#name()
    this.#position++
    return null
  }

  /** A string of at most 255 bytes, all ASCII: how broken UTF-8 reads is for the slow way to say. */
  #name(): string | undefined {
    const bytes = this.#bytes
    const start = this.#position
    const first = bytes[start] ?? 0xc0
    const isShort = first >= 0xa0 && first <= 0xbf
    if (!isShort && first !== 0xd9) return undefined
    const textStart = start + (isShort ? 1 : 2)
    const end = textStart + (isShort ? first & 0x1f : (bytes[start + 1] ?? 0))
    if (end > bytes.length) return undefined
    this.#position = end
    let hash = 0x811c9dc5
    let bits = 0
    for (let at = textStart; at < end; at++) {
      const byte = bytes[at] as number
      bits |= byte
      hash = Math.imul(hash ^ byte, 0x01000193)
    }
    if (bits >= 0x80) return undefined
    const slot = (hash ^ (hash >>> 15)) & (NAMES_KEPT - 1)
    const kept = this.#names[slot]
    if (kept !== undefined && isAt(bytes, start, end, kept.bytes)) return kept.text
    // A slice of a Buffer would be a view of what is read over.
    const own = new Uint8Array(bytes.subarray(start, end))
    const text = decodeMsgpack(own) as string
    this.#names[slot] = { bytes: own, text }
    return text
  }

  #integer(): number | undefined {
    const bytes = this.#bytes
    const first = bytes[this.#position++]
    if (first === undefined) return undefined
    if (first < 0x80) return first
    if (first >= 0xe0) return first - 0x100
    const size =
      first === 0xcc ? 1 : first === 0xcd ? 2 : first === 0xce ? 4 : first === 0xcf ? 8 : 0
    if (size === 0 || this.#position + size > bytes.length) return undefined
    let number = 0
    for (let index = 0; index < size; index++)
      number = number * 256 + (bytes[this.#position++] as number)
    return Number.isSafeInteger(number) ? number : undefined
  }
}

function isAt(bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  if (end - start !== text.length) return false
  for (let at = start; at < end; at++) if (bytes[at] !== text[at - start]) return false
  return true
}
