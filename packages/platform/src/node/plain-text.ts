// Text for a terminal. What came from outside (names, errors of peers) may carry control characters, and a terminal
// obeys them: it moves, hides, renames itself, answers. None reaches it.
import { stripVTControlCharacters } from 'node:util'

/** C0 and C1 controls but tab and newline; marks that turn the direction of writing around. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: to remove them is the point.
const CONTROLS = /[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** How deep a line is looked into; what lies deeper is dropped. */
const DEPTH_MAX = 16

/** The same value, a text in it or its keys without escape sequences and control characters. */
export function withoutControls(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return stripVTControlCharacters(value).replaceAll(CONTROLS, '')
  if (typeof value !== 'object' || value === null) return value
  if (depth === DEPTH_MAX) return '…'
  if (Array.isArray(value)) return value.map((item) => withoutControls(item, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      withoutControls(key),
      withoutControls(item, depth + 1),
    ]),
  )
}
