// fdatasyncs of the whole process: so many at once, the rest wait in line, so that reads and DNS keep threads of the pool.
import { fdatasync } from 'node:fs'

type Waiting = { readonly descriptor: number; readonly done: (error: Error | null) => void }

export class SyncQueue {
  readonly #atOnceMax: number
  readonly #waiting: Waiting[] = []
  #running = 0

  constructor(atOnceMax: number) {
    this.#atOnceMax = atOnceMax
  }

  sync(descriptor: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ descriptor, done: (error) => (error ? reject(error) : resolve()) })
      this.#start()
    })
  }

  #start(): void {
    while (this.#running < this.#atOnceMax) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#running++
      fdatasync(next.descriptor, (error) => {
        this.#running--
        next.done(error)
        this.#start()
      })
    }
  }
}

const POOL_DEFAULT = 4
/** Threads left to reads, DNS and the rest (REPLICATION 2.2). */
const THREADS_LEFT = 4
/** In a pool of Node's default size; a test process is one. */
const AT_ONCE_SMALL_POOL = 3

export function syncsAtOnce(poolSize: string | undefined): number {
  const size = Number(poolSize ?? POOL_DEFAULT)
  return Number.isInteger(size) && size > THREADS_LEFT + AT_ONCE_SMALL_POOL
    ? size - THREADS_LEFT
    : AT_ONCE_SMALL_POOL
}
