// Where in a body did it go wrong? A JSON pointer, found only after something did.
// Enters: where the offending item begins. Leaves: `/appends/0/partition`.
import type { Layout, StructLayout } from './layout.ts'
import { sizeWidth, uintAt, walkItem } from './walk.ts'
import { WireError } from './wire-error.ts'

const FOUND = -1

/** Does `work` on the body that begins at `start`; where it fails, the error learns the path of its field. */
export function located<T>(
  bytes: Uint8Array,
  start: number,
  layout: StructLayout,
  work: () => T,
): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof WireError) error.path = pathOf(bytes, start, layout, error)
    throw error
  }
}

/**
 * One pass over what was walked already. Items that the definition does not know are named by their index.
 * Undefined where it is the body itself, or something behind it.
 */
function pathOf(
  bytes: Uint8Array,
  start: number,
  layout: StructLayout,
  { position, missing }: WireError,
): string | undefined {
  const names: (string | number)[] = missing === undefined ? [] : [missing]
  seek({ bytes, target: position, names }, start, layout)
  return names.length === 0 ? undefined : `/${names.reverse().join('/')}`
}

type Search = {
  readonly bytes: Uint8Array
  readonly target: number
  /** Innermost first. */
  readonly names: (string | number)[]
}

/** The position after the item, or FOUND. All in front of the target is well-formed: the walk got that far. */
function seek(search: Search, start: number, part: Layout | undefined): number {
  if (start >= search.target) return FOUND
  const array = arrayAt(search.bytes, start)
  if (array === undefined) return walkItem(search.bytes, start, search.bytes.length, 0)
  let position = array.first
  for (let index = 0; index < array.count; index++) {
    const [name, inner] = named(part, index)
    position = seek(search, position, inner)
    if (position === FOUND) {
      search.names.push(name)
      return FOUND
    }
  }
  return position
}

function arrayAt(bytes: Uint8Array, start: number) {
  const lead = bytes[start] as number
  if (lead >= 0x90 && lead < 0xa0) return { count: lead & 0x0f, first: start + 1 }
  const width = lead === 0xdc || lead === 0xdd ? sizeWidth(lead) : 0
  if (width === 0) return undefined
  return { count: uintAt(bytes, start + 1, width), first: start + 1 + width }
}

function named(part: Layout | undefined, index: number): [string | number, Layout | undefined] {
  if (part?.kind === 'nullable') return named(part.of, index)
  if (part?.kind === 'list') return [index, part.of]
  const field = part?.kind === 'struct' ? part.fields[index] : undefined
  return field === undefined ? [index, undefined] : [field.name, field.type]
}
