// What strangers can cause is logged at most once a second for each key: an address, a listener (SECURITY "Node specifics").
// Enters: warnings. Leaves: the first of each second; what was kept back is counted in the next one.
import type { Clock, Logger } from '@minikafka/platform'

const LINE_EVERY_MS = 1000
const KEYS_MAX = 10_000

export class QuietLog {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #entries = new Map<string, { untilMs: number; suppressed: number }>()

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock
    this.#logger = logger
  }

  warn(key: string, fields: object, message: string): void {
    const nowMs = this.#clock.monotonicMs()
    const entry = this.#entries.get(key)
    if (entry !== undefined && nowMs < entry.untilMs) {
      entry.suppressed++
      return
    }
    if (this.#entries.size >= KEYS_MAX) this.#entries.clear()
    this.#entries.set(key, { untilMs: nowMs + LINE_EVERY_MS, suppressed: 0 })
    this.#logger.warn({ ...fields, suppressed: entry?.suppressed ?? 0 }, message)
  }
}
