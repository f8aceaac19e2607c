// Walked bytes -> values, by definition. Enters: a body that walk.ts went through, and the frame's blobs.
// Leaves: plain objects with exactly the fields of the definition, or a WireError at the item that does not fit.
import type { Buffer } from 'node:buffer'
import type { Content } from './envelope.ts'
import type { FieldLayout, Layout, StructLayout } from './layout.ts'
import { located } from './path.ts'
import { sizeWidth, uintAt, walkItem } from './walk.ts'
import { WireError } from './wire-error.ts'

/** Unknown items were walked before, with the real limit. */
const DEPTH_ANY = 1 << 20

/** Errors: WireError with the path of the first field that does not fit. */
export function readBody(content: Content, version: number, layout: StructLayout): unknown {
  const { bytes, body } = content
  return located(bytes, body.start, layout, () => new BodyReader(content, version).read(layout))
}

class BodyReader {
  readonly #bytes: Buffer
  readonly #end: number
  readonly #version: number
  readonly #blobs: readonly Uint8Array[]
  /** 1 = a field has named this blob. */
  readonly #named: Uint8Array
  #namedCount = 0
  #position: number

  constructor({ bytes, body, blobs }: Content, version: number) {
    this.#bytes = bytes
    this.#position = body.start
    this.#end = body.end
    this.#version = version
    this.#blobs = blobs
    this.#named = new Uint8Array(blobs.length)
  }

  /** Reads the body. Every blob must have been named once when it is done. */
  read(layout: StructLayout): Record<string, unknown> {
    const value = this.#struct(layout)
    if (this.#namedCount < this.#blobs.length) {
      throw new WireError('malformed', this.#bytes.length, 'there are blobs that no field names')
    }
    return value
  }

  #value(layout: Layout): unknown {
    switch (layout.kind) {
      case 'int':
        return this.#int(layout)
      case 'bool':
        return this.#bool()
      case 'string':
        return this.#string(layout.bytesMax)
      case 'uuid':
        return this.#uuid()
      case 'nullable':
        return this.#nullable(layout.of)
      case 'list':
        return this.#list(layout)
      case 'struct':
        return this.#struct(layout)
      case 'scalar':
        return this.#scalar()
      case 'blob':
        return layout.many ? this.#namedBlobs() : this.#oneBlob()
    }
  }

  #struct(layout: StructLayout): Record<string, unknown> {
    const start = this.#position
    const count = this.#arrayCount('struct')
    const { fields } = layout
    const value: Record<string, unknown> = {}
    let index = 0
    for (; index < fields.length; index++) {
      const field = fields[index] as FieldLayout
      if (field.since > this.#version || index >= count) break
      value[field.name] = this.#value(field.type)
    }
    for (let extra = index; extra < count; extra++) this.#skip()
    for (; index < fields.length; index++) {
      const field = fields[index] as FieldLayout
      if (field.since === 0) {
        throw new WireError('value', start, 'the field is missing', field.name)
      }
      value[field.name] = field.fallback
    }
    return value
  }

  #list(layout: { readonly of: Layout; readonly countMax: number }): unknown[] {
    const start = this.#position
    const count = this.#arrayCount('list')
    if (count > layout.countMax) {
      throw new WireError('value', start, `expected at most ${layout.countMax} items`)
    }
    const values: unknown[] = new Array(count)
    for (let index = 0; index < count; index++) values[index] = this.#value(layout.of)
    return values
  }

  #nullable(of: Layout): unknown {
    if (of.kind === 'blob') return this.#blobOrNull()
    if (this.#bytes[this.#position] !== 0xc0) return this.#value(of)
    this.#position++
    return null
  }

  #int(layout: { readonly name: string; readonly min: number; readonly max: number }): number {
    const start = this.#position
    const value = this.#number(layout.name)
    if (value >= layout.min && value <= layout.max) return value
    throw new WireError(
      'value',
      start,
      `expected ${layout.name}, from ${layout.min} to ${layout.max}`,
    )
  }

  /** Beyond 2^53 digits are lost; no range reaches that far. */
  #number(name: string): number {
    const bytes = this.#bytes
    const start = this.#position
    const lead = bytes[start] as number
    if (lead < 0x80) return this.#passed(1, lead)
    if (lead >= 0xe0) return this.#passed(1, lead - 0x100)
    switch (lead) {
      case 0xcc:
        return this.#passed(2, bytes[start + 1] as number)
      case 0xcd:
        return this.#passed(3, bytes.readUInt16BE(start + 1))
      case 0xce:
        return this.#passed(5, bytes.readUInt32BE(start + 1))
      case 0xcf:
        return this.#passed(9, wide(bytes.readUInt32BE(start + 1), bytes.readUInt32BE(start + 5)))
      case 0xd0:
        return this.#passed(2, bytes.readInt8(start + 1))
      case 0xd1:
        return this.#passed(3, bytes.readInt16BE(start + 1))
      case 0xd2:
        return this.#passed(5, bytes.readInt32BE(start + 1))
      case 0xd3:
        return this.#passed(9, wide(bytes.readInt32BE(start + 1), bytes.readUInt32BE(start + 5)))
      default:
        throw new WireError('malformed', start, `expected ${name}`)
    }
  }

  #passed(size: number, value: number): number {
    this.#position += size
    return value
  }

  #bool(): boolean {
    const lead = this.#bytes[this.#position]
    if (lead !== 0xc2 && lead !== 0xc3) {
      throw new WireError('malformed', this.#position, 'expected bool')
    }
    this.#position++
    return lead === 0xc3
  }

  #string(bytesMax: number): string {
    const start = this.#position
    const size = this.#stringSize('string')
    if (size > bytesMax) throw new WireError('value', start, `expected at most ${bytesMax} bytes`)
    const text = this.#bytes.toString('utf8', this.#position, this.#position + size)
    this.#position += size
    return text
  }

  #uuid(): string {
    const start = this.#position
    const size = this.#stringSize('uuid')
    if (size !== 36 || !isUuidAt(this.#bytes, this.#position)) {
      throw new WireError('value', start, 'expected uuid')
    }
    this.#position += size
    return this.#bytes.toString('latin1', this.#position - size, this.#position)
  }

  /** Null for what is none. */
  #scalar(): unknown {
    const lead = this.#bytes[this.#position] as number
    if (lead === 0xc2 || lead === 0xc3) return this.#bool()
    if ((lead >= 0xa0 && lead < 0xc0) || (lead >= 0xd9 && lead <= 0xdb)) {
      return this.#string(Number.MAX_SAFE_INTEGER)
    }
    const isInt = lead < 0x80 || lead >= 0xe0 || (lead >= 0xcc && lead <= 0xd3)
    if (isInt) return this.#number('int64')
    this.#skip()
    return null
  }

  /** Passes the header of a string; its bytes follow. */
  #stringSize(name: string): number {
    const lead = this.#bytes[this.#position] as number
    if (lead >= 0xa0 && lead < 0xc0) return this.#passed(1, lead & 0x1f)
    const width = lead >= 0xd9 && lead <= 0xdb ? sizeWidth(lead) : 0
    if (width === 0) throw new WireError('malformed', this.#position, `expected ${name}`)
    return this.#passed(1 + width, uintAt(this.#bytes, this.#position + 1, width))
  }

  /** Passes the header of an array; its items follow. */
  #arrayCount(name: string): number {
    const lead = this.#bytes[this.#position] as number
    if (lead >= 0x90 && lead < 0xa0) return this.#passed(1, lead & 0x0f)
    const width = lead >= 0xdc && lead <= 0xdd ? sizeWidth(lead) : 0
    if (width === 0) throw new WireError('malformed', this.#position, `expected ${name}`)
    return this.#passed(1 + width, uintAt(this.#bytes, this.#position + 1, width))
  }

  #skip(): void {
    this.#position = walkItem(this.#bytes, this.#position, this.#end, DEPTH_ANY)
  }

  #oneBlob(): Uint8Array {
    const start = this.#position
    const [blob, ...others] = this.#namedBlobs()
    if (blob !== undefined && others.length === 0) return blob
    throw new WireError('malformed', start, 'expected exactly one blob')
  }

  #blobOrNull(): Uint8Array | null {
    const start = this.#position
    const [blob, ...others] = this.#namedBlobs()
    if (others.length === 0) return blob ?? null
    throw new WireError('malformed', start, 'expected at most one blob')
  }

  /** `[index of the first, count]`, or `[-1, 0]`. A blob belongs to one field. */
  #namedBlobs(): Uint8Array[] {
    const start = this.#position
    if (this.#arrayCount('blob') !== 2) {
      throw new WireError('malformed', start, 'expected [index, count] of blobs')
    }
    const first = this.#number('blob index')
    const count = this.#number('blob count')
    if (count === 0 && first === -1) return []
    if (first < 0 || count < 1 || first + count > this.#blobs.length) {
      throw new WireError('malformed', start, 'there is no such blob')
    }
    const blobs: Uint8Array[] = []
    for (let index = first; index < first + count; index++) {
      if (this.#named[index] === 1) {
        throw new WireError('malformed', start, 'another field names this blob')
      }
      this.#named[index] = 1
      blobs.push(this.#blobs[index] as Uint8Array)
    }
    this.#namedCount += count
    return blobs
  }
}

function wide(high: number, low: number): number {
  return high * 0x1_0000_0000 + low
}

function isUuidAt(bytes: Uint8Array, start: number): boolean {
  for (let index = 0; index < 36; index++) {
    const byte = bytes[start + index] as number
    if (index === 8 || index === 13 || index === 18 || index === 23) {
      if (byte !== 0x2d) return false
    } else if (!((byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66))) return false
  }
  return true
}
