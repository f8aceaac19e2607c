// Whether a socket is read. Enters: what speaks against it. Leaves: pause and resume, each once.
import type { Clock, Socket } from '@minikafka/platform'
import type { MemoryAccount } from './service.ts'

export class ReadingGate {
  readonly #clock: Clock
  readonly #socket: Socket
  readonly #memory: MemoryAccount
  readonly #changed: () => void
  #isPaused = false
  #pausedAtMs = 0
  #isFavoured = false
  #stopWaitingForRoom: (() => void) | undefined

  /** `changed` is called when the budget has room again: then `adjust`. */
  constructor(clock: Clock, socket: Socket, memory: MemoryAccount, changed: () => void) {
    this.#clock = clock
    this.#socket = socket
    this.#memory = memory
    this.#changed = changed
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Nothing but the memory budget speaks against reading. */
  get isStarved(): boolean {
    return this.#stopWaitingForRoom !== undefined
  }

  get isFavoured(): boolean {
    return this.#isFavoured
  }

  /** True: goes on above the budget. */
  favour(isFavoured: boolean): void {
    this.#isFavoured = isFavoured
  }

  /**
   * `free`: read on, all is forgotten that comes. `busy`: enough to do. `ready`: read while the budget has room.
   * Returns how long the pause was that ends with it, in ms.
   */
  adjust(want: 'free' | 'busy' | 'ready'): number {
    const isStarved = want === 'ready' && !this.#isFavoured && this.#memory.full
    if (isStarved) this.#stopWaitingForRoom ??= this.#memory.onRoom(this.#changed)
    else this.#stopWaiting()
    return isStarved || want === 'busy' ? this.#pause() : this.#resume()
  }

  close(): void {
    this.#isFavoured = false
    this.#stopWaiting()
  }

  #stopWaiting(): void {
    this.#stopWaitingForRoom?.()
    this.#stopWaitingForRoom = undefined
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
