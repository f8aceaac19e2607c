// Work that must be linear in its input: a bound that a slow or busy machine keeps and a quadratic loop does not.
import { Finding } from './target.ts'

/** Of a decoder that takes microseconds for a kilobyte: a hundredfold. */
const CPU_MS_MIN = 250
const CPU_MS_PER_KILOBYTE = 2
/** The collector of garbage counts, too, and comes when it likes: what took long is tried again. */
const TRIES = 3

/** Of this process, so that others which keep the cores busy do not count. */
export function linear<T>(input: Uint8Array, work: () => T): T {
  const allowedMs = CPU_MS_MIN + (input.length / 1024) * CPU_MS_PER_KILOBYTE
  let leastMs = Number.POSITIVE_INFINITY
  for (let time = 0; time < TRIES; time++) {
    const before = process.cpuUsage()
    const result = work()
    const { user, system } = process.cpuUsage(before)
    leastMs = Math.min(leastMs, (user + system) / 1000)
    if (leastMs <= allowedMs) return result
  }
  throw new Finding(`took ${Math.round(leastMs)} ms for ${input.length} bytes`)
}
