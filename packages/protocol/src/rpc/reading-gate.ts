// Whether a socket is read. Enters: what its connection wants. Leaves: pause and resume, each once.
import type { Clock, Socket } from '@minikafka/platform'
import type { MemoryQueue, Reader } from './memory-queue.ts'

export class ReadingGate {
  readonly #clock: Clock
  readonly #socket: Socket
  readonly #queue: MemoryQueue
  readonly #reader: Reader
  #isPaused = false
  #pausedAtMs = 0
  #favouredAtMs: number | undefined

  constructor(clock: Clock, socket: Socket, queue: MemoryQueue, reader: Reader) {
    this.#clock = clock
    this.#socket = socket
    this.#queue = queue
    this.#reader = reader
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Nothing but the memory budget speaks against reading. */
  get isWaiting(): boolean {
    return this.#queue.isWaiting(this.#reader)
  }

  /** Monotonic: since when it may go on whatever the budget says; undefined: it may not. */
  get favouredAtMs(): number | undefined {
    return this.#favouredAtMs
  }

  favour(isFavoured: boolean): void {
    this.#favouredAtMs = isFavoured ? this.#clock.monotonicMs() : undefined
  }

  /**
   * `free`: read on, it costs no memory. `busy`: enough to do. `ready`: read while the budget has room.
   * Returns how long the pause was that ends with it, in ms.
   */
  adjust(want: 'free' | 'busy' | 'ready'): number {
    const asks = want === 'ready' && this.#favouredAtMs === undefined
    if (!asks) this.#queue.leave(this.#reader)
    const mustWait = asks && this.#queue.mustWait(this.#reader)
    return mustWait || want === 'busy' ? this.#pause() : this.#resume()
  }

  close(): void {
    this.#favouredAtMs = undefined
    this.#queue.forget(this.#reader)
  }

  #pause(): number {
    if (this.#isPaused) return 0
    this.#isPaused = true
    this.#pausedAtMs = this.#clock.monotonicMs()
    this.#socket.pause()
    return 0
  }

  #resume(): number {
    if (!this.#isPaused) return 0
    this.#isPaused = false
    this.#socket.resume()
    return this.#clock.monotonicMs() - this.#pausedAtMs
  }
}
