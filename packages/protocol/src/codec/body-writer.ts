// Values -> what the msgpack encoder takes: nested arrays in definition order; blobs are put aside.
// Enters: a layout, a version, a value. Leaves: arrays, and the blobs in the order of their indexes.
// The reader checks the same things again: the two ends could disagree (STYLE 3.4).
import { Buffer } from 'node:buffer'
import type { FieldLayout, Layout, StructLayout } from './layout.ts'

export type WrittenBody = { readonly items: unknown[]; readonly blobs: readonly Uint8Array[] }

/** A value that its definition does not allow. */
export class ValueError extends Error {
  override name = 'ValueError'
  readonly path: string
  constructor(path: string, message: string) {
    super(message)
    this.path = path
  }
}

/** Errors: ValueError with the path of the first field that does not fit. */
export function writeBody(layout: StructLayout, version: number, value: unknown): WrittenBody {
  const blobs: Uint8Array[] = []
  try {
    return { items: writeStruct(layout, value, version, blobs), blobs }
  } catch (error) {
    if (!(error instanceof ValueError)) throw error
    throw new ValueError(pathOf(layout, value, version), error.message)
  }
}

function writeStruct(
  layout: StructLayout,
  value: unknown,
  version: number,
  blobs: Uint8Array[],
): unknown[] {
  if (typeof value !== 'object' || value === null) throw expected('an object')
  const { fields } = layout
  const items: unknown[] = []
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index] as FieldLayout
    if (field.since > version) break
    items.push(write(field.type, (value as Record<string, unknown>)[field.name], version, blobs))
  }
  return items
}

function write(layout: Layout, value: unknown, version: number, blobs: Uint8Array[]): unknown {
  switch (layout.kind) {
    case 'int':
      return checkInt(layout, value)
    case 'bool':
      if (typeof value !== 'boolean') throw expected('bool')
      return value
    case 'string':
      return checkString(layout, value)
    case 'uuid':
      if (typeof value !== 'string' || !UUID.test(value)) throw expected('uuid')
      return value
    case 'nullable':
      if (value !== null) return write(layout.of, value, version, blobs)
      return layout.of.kind === 'blob' ? NO_BLOBS : null
    case 'list':
      return writeList(layout, value, version, blobs)
    case 'struct':
      return writeStruct(layout, value, version, blobs)
    case 'scalar':
      return typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value)
        ? value
        : null
    case 'blob':
      return layout.many ? putBlobs(value, blobs) : putBlobs([value], blobs)
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const SURROGATE = /[\ud800-\udfff]/
const NO_BLOBS = [-1, 0] as const

function checkInt(layout: { name: string; min: number; max: number }, value: unknown): number {
  if (!Number.isInteger(value)) throw expected(layout.name)
  const number = value as number
  if (number >= layout.min && number <= layout.max) return number
  throw expected(`${layout.name}, from ${layout.min} to ${layout.max}`)
}

function checkString({ bytesMax }: { bytesMax: number }, value: unknown): string {
  if (typeof value !== 'string') throw expected('string')
  // UTF-16 to UTF-8 is at most times three: most strings need not be measured.
  if (value.length * 3 > bytesMax && Buffer.byteLength(value) > bytesMax) {
    throw expected(`at most ${bytesMax} bytes`)
  }
  // The encoder would write a lone half of a surrogate pair as it is, and that is not UTF-8.
  return SURROGATE.test(value) ? Buffer.from(value).toString() : value
}

function writeList(
  layout: { of: Layout; countMax: number },
  value: unknown,
  version: number,
  blobs: Uint8Array[],
): unknown[] {
  if (!Array.isArray(value)) throw expected('list')
  if (value.length > layout.countMax) throw expected(`at most ${layout.countMax} items`)
  const items: unknown[] = new Array(value.length)
  for (let index = 0; index < value.length; index++) {
    items[index] = write(layout.of, value[index], version, blobs)
  }
  return items
}

function putBlobs(values: unknown, blobs: Uint8Array[]): readonly [number, number] {
  if (!Array.isArray(values)) throw expected('list of blobs')
  if (values.length === 0) return NO_BLOBS
  const first = blobs.length
  for (const value of values) {
    if (!(value instanceof Uint8Array)) throw expected('blob')
    blobs.push(value)
  }
  return [first, values.length]
}

function expected(what: string): ValueError {
  return new ValueError('', `expected ${what}`)
}

/** Looks for the field that failed; only after something did. */
function pathOf(layout: Layout, value: unknown, version: number): string {
  for (const [name, part, partValue] of partsOf(layout, value, version)) {
    try {
      write(part, partValue, version, [])
    } catch (error) {
      if (!(error instanceof ValueError)) throw error
      return `/${name}${pathOf(part, partValue, version)}`
    }
  }
  return ''
}

function partsOf(
  layout: Layout,
  value: unknown,
  version: number,
): [name: string | number, part: Layout, value: unknown][] {
  if (layout.kind === 'nullable') return partsOf(layout.of, value, version)
  if (layout.kind === 'list' && Array.isArray(value) && value.length <= layout.countMax) {
    return value.map((item, index) => [index, layout.of, item])
  }
  if (layout.kind !== 'struct' || typeof value !== 'object' || value === null) return []
  const known = layout.fields.filter(({ since }) => since <= version)
  return known.map(({ name, type }) => [name, type, (value as Record<string, unknown>)[name]])
}
