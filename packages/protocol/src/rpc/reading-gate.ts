// Whether a socket is read. Enters: what its connection wants. Leaves: pause and resume, each once.
import type { Clock, Socket } from '@minikafka/platform'
import type { MemoryQueue } from './memory-queue.ts'

export class ReadingGate {
  readonly #clock: Clock
  readonly #socket: Socket
  readonly #queue: MemoryQueue
  readonly #adjustAgain: () => void
  #isPaused = false
  #pausedAtMs = 0
  #isFavoured = false

  /** `adjustAgain` is called when the budget runs out, and when there is room again. */
  constructor(clock: Clock, socket: Socket, queue: MemoryQueue, adjustAgain: () => void) {
    this.#clock = clock
    this.#socket = socket
    this.#queue = queue
    this.#adjustAgain = adjustAgain
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Nothing but the memory budget speaks against reading. */
  get isStarved(): boolean {
    return this.#queue.isWaiting(this.#adjustAgain)
  }

  get isFavoured(): boolean {
    return this.#isFavoured
  }

  /** True: goes on above the budget. */
  favour(isFavoured: boolean): void {
    this.#isFavoured = isFavoured
  }

  /**
   * `free`: read on, it costs no memory. `busy`: enough to do. `ready`: read while the budget has room.
   * Returns how long the pause was that ends with it, in ms.
   */
  adjust(want: 'free' | 'busy' | 'ready'): number {
    const asks = want === 'ready' && !this.#isFavoured
    if (!asks) this.#queue.leave(this.#adjustAgain)
    const mustWait = asks && this.#queue.mustWait(this.#adjustAgain)
    return mustWait || want === 'busy' ? this.#pause() : this.#resume()
  }

  close(): void {
    this.#isFavoured = false
    this.#queue.forget(this.#adjustAgain)
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
