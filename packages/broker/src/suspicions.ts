// What readers say came to them damaged: looked at on the disk before they are answered, but seldom, for it may be a lie.
// Enters: a partition and an offset. Leaves: damage that is really there, marked; the answer then says so.
import type { Clock } from '@minikafka/platform'
import { isMinikafkaError } from '@minikafka/protocol'
import type { Partition } from './partition/index.ts'

/** Between two looks on the word of one connection, and of all together: a look is a few milliseconds of work. */
const CONNECTION_PAUSE_MS = 1000
const PAUSE_MS = 100

export class Suspicions {
  readonly #clock: Clock
  /** Monotonic, by the signal of the connection: when it is heard again. */
  readonly #heardAgainMs = new WeakMap<AbortSignal, number>()
  #nextMs = 0
  #isLooking = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves when the batch was looked at, or at once where it is too soon: the scrubber will come by. Never rejects. */
  async look(partition: Partition, offset: number, connection: AbortSignal): Promise<void> {
    const nowMs = this.#clock.monotonicMs()
    const isHeard = nowMs >= (this.#heardAgainMs.get(connection) ?? 0)
    if (this.#isLooking || nowMs < this.#nextMs || !isHeard) return
    this.#heardAgainMs.set(connection, nowMs + CONNECTION_PAUSE_MS)
    this.#isLooking = true
    try {
      await partition.examine(offset)
    } catch (error) {
      // The read that follows meets the same, and answers it.
      if (!isMinikafkaError(error)) throw error
    } finally {
      this.#isLooking = false
      this.#nextMs = this.#clock.monotonicMs() + PAUSE_MS
    }
  }
}
