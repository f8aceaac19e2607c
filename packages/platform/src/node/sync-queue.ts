// Syncs wait for the disk in threads of libuv's small pool. Above a cap they wait here, first come, first served, so
// that reads and name look-ups always find a thread (PERFORMANCE 4).
import { assert } from '../assert.ts'

type Sync = (done: (error: Error | null) => void) => void

export class SyncQueue {
  readonly #atOnceMax: number
  /** Bounded by the callers: a log file has one sync under way and at most one that waits. */
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(atOnceMax: number) {
    assert(Number.isSafeInteger(atOnceMax) && atOnceMax >= 1, 'at least one sync runs at a time')
    this.#atOnceMax = atOnceMax
  }

  /** Settles with what `sync` throws or gives to its callback; begins now, or when it is its turn. */
  run(sync: Sync): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error: Error | null) => {
        this.#running--
        if (error === null) resolve()
        else reject(error)
        this.#waiting.shift()?.()
      }
      const begin = () => {
        this.#running++
        try {
          sync(end)
        } catch (error) {
          end(error as Error)
        }
      }
      if (this.#running < this.#atOnceMax) begin()
      else this.#waiting.push(begin)
    })
  }
}

/** libuv's own default and limit. */
const POOL_SIZE_DEFAULT = 4
const POOL_SIZE_MAX = 1024
/** Threads left for reads and names. */
const THREADS_FREE = 4

/**
 * Four threads stay free of syncs where the pool has eight or more, else one: three syncs at once in a pool of four.
 * The variable counts only where it was set before the pool began, which is so in the bundled programs.
 */
export function syncsAtOnce(variable: string | undefined): number {
  const asked = Number.parseInt(variable ?? '', 10)
  const poolSize = asked > 0 ? Math.min(asked, POOL_SIZE_MAX) : POOL_SIZE_DEFAULT
  return Math.max(
    1,
    Math.min(poolSize - 1, Math.max(POOL_SIZE_DEFAULT - 1, poolSize - THREADS_FREE)),
  )
}
