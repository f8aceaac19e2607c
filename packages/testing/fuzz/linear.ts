// Work that must be linear in its input: a bound on time that a slow machine keeps and a quadratic loop does not.
import { Finding } from './target.ts'

/** Of a decoder that takes microseconds for a kilobyte: a thousandfold. */
const MS_MIN = 200
const MS_PER_KILOBYTE = 1
/** Another process may have had the core: what is slow is tried again. */
const TRIES = 3

export function linear<T>(input: Uint8Array, work: () => T): T {
  const allowedMs = MS_MIN + (input.length / 1024) * MS_PER_KILOBYTE
  let leastMs = Number.POSITIVE_INFINITY
  for (let time = 0; time < TRIES; time++) {
    const began = performance.now()
    const result = work()
    leastMs = Math.min(leastMs, performance.now() - began)
    if (leastMs <= allowedMs) return result
  }
  throw new Finding(`took ${Math.round(leastMs)} ms for ${input.length} bytes`)
}
