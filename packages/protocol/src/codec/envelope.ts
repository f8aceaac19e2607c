// The array around a body: what stands in front of it, where it lies, and the blobs behind it.
// Enters: one frame, length prefix excluded. Leaves: numbers, positions, views; or a WireError.
import { Buffer } from 'node:buffer'
import type { StructLayout } from './layout.ts'
import { located } from './path.ts'
import { sizeWidth, uintAt, walkItem } from './walk.ts'
import { WireError } from './wire-error.ts'

/** Of one frame, envelope and blobs together. A view is made of each blob, so their count is bounded like their bytes. */
export const ITEMS_MAX = 0xffff

/** What a body reader needs. `body` was walked. */
export type Content = {
  readonly bytes: Buffer
  readonly body: { readonly start: number; readonly end: number }
  readonly blobs: readonly Buffer[]
}

/** Read step by step, so that a correlation id is known as early as it can be. */
export class Envelope {
  readonly bytes: Buffer
  readonly #count: number
  readonly #depthMax: number
  #position: number
  #index = 0

  /** Errors: WireError where this is no array of at least `countMin` items. */
  constructor(frame: Uint8Array, countMin: number, depthMax: number) {
    this.bytes = asBuffer(frame)
    this.#depthMax = depthMax
    const lead = this.bytes[0] ?? 0
    const width = lead === 0xdc || lead === 0xdd ? sizeWidth(lead) : 0
    const fixed = lead >= 0x90 && lead < 0xa0
    if ((!fixed && width === 0) || 1 + width > this.bytes.length) {
      throw new WireError('malformed', 0, 'a frame is one array')
    }
    this.#count = width === 0 ? lead & 0x0f : uintAt(this.bytes, 1, width)
    this.#position = 1 + width
    if (this.#count < countMin) {
      throw new WireError('malformed', 0, `a frame has at least ${countMin} items`)
    }
    if (this.#count > this.bytes.length - this.#position) {
      throw new WireError('malformed', 0, 'the frame announces more items than there are')
    }
    if (this.#count > ITEMS_MAX) {
      throw new WireError('malformed', 0, `a frame has at most ${ITEMS_MAX} items`)
    }
  }

  /** The next item, which must be an integer of at most 32 bits. */
  int(name: string): number {
    const { bytes } = this
    const start = this.#position
    this.#pass()
    const lead = bytes[start] as number
    if (lead < 0x80) return lead
    if (lead >= 0xe0) return lead - 0x100
    switch (lead) {
      case 0xcc:
        return bytes[start + 1] as number
      case 0xcd:
        return bytes.readUInt16BE(start + 1)
      case 0xce:
        return bytes.readUInt32BE(start + 1)
      case 0xd0:
        return bytes.readInt8(start + 1)
      case 0xd1:
        return bytes.readInt16BE(start + 1)
      case 0xd2:
        return bytes.readInt32BE(start + 1)
      default:
        throw new WireError('malformed', start, `${name}: expected int32`)
    }
  }

  /** The next item, which must be an array; it is walked. */
  array(name: string): { readonly start: number; readonly end: number } {
    const start = this.#position
    const lead = this.bytes[start] ?? 0
    this.#pass()
    if (!(lead >= 0x90 && lead < 0xa0) && lead !== 0xdc && lead !== 0xdd) {
      throw new WireError('malformed', start, `${name}: expected an array`)
    }
    return { start, end: this.#position }
  }

  /** The body and all that follows it. `layout` names the field in what is wrong with the body. */
  content(layout: StructLayout | undefined): Content {
    const walk = () => ({ bytes: this.bytes, body: this.array('body'), blobs: this.#blobs() })
    return layout === undefined ? walk() : located(this.bytes, this.#position, layout, walk)
  }

  /** All items that are left, each a blob, as views. They must end where the frame ends. */
  #blobs(): Buffer[] {
    const starts: number[] = []
    for (; this.#index < this.#count; ) {
      starts.push(this.#position)
      const lead = this.bytes[this.#position] ?? 0
      this.#pass()
      if (lead < 0xc4 || lead > 0xc6) {
        throw new WireError('malformed', this.bytes.length, 'a blob is sent as bin')
      }
    }
    if (this.#position < this.bytes.length) {
      throw new WireError('malformed', this.bytes.length, 'there are bytes after the array')
    }
    return starts.map((start, index) => this.#view(start, starts[index + 1] ?? this.#position))
  }

  #view(start: number, end: number): Buffer {
    return this.bytes.subarray(start + 1 + sizeWidth(this.bytes[start] as number), end)
  }

  #pass(): void {
    this.#position = walkItem(this.bytes, this.#position, this.bytes.length, this.#depthMax)
    this.#index++
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
