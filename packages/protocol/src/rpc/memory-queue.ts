// Who may read while the memory budget is used up: nobody. Who when there is room again: a few at a time, in order.
// Enters: the account, and every connection that would read. Leaves: when each may.
//
// Were all of ten thousand connections told at once, each would read one more chunk before it saw that the budget is
// used up again.
import type { Clock } from '@minikafka/platform'
import type { MemoryAccount } from './service.ts'

/** Told together, in one turn of the event loop. */
const WOKEN_AT_ONCE = 16

/** Asks the queue, then reads or does not. */
type Reader = () => void

export class MemoryQueue {
  readonly #clock: Clock
  readonly #memory: MemoryAccount
  readonly #ranOut: () => void
  readonly #stopListening: () => void
  /** May read. Invariant: nobody is in both sets. */
  readonly #reading = new Set<Reader>()
  /** Must wait, first come first served. */
  readonly #waiting = new Set<Reader>()
  #isFull = false
  #wakeIsDue = false

  /** `ranOut` is called in the turn after the budget was used up and all who read were stopped. */
  constructor(clock: Clock, memory: MemoryAccount, ranOut: () => void) {
    this.#clock = clock
    this.#memory = memory
    this.#ranOut = ranOut
    this.#stopListening = memory.onRoom(() => this.#wake())
  }

  /** A reader's question before it reads on. Where it must wait, it is called when its turn has come. */
  mustWait(reader: Reader): boolean {
    if (!this.#memory.full) {
      this.#waiting.delete(reader)
      this.#reading.add(reader)
      return false
    }
    this.#reading.delete(reader)
    this.#waiting.add(reader)
    if (!this.#isFull) this.#stopAll()
    // Those that were stopped may have given memory back, and this one have been told already.
    return this.#waiting.has(reader)
  }

  isWaiting(reader: Reader): boolean {
    return this.#waiting.has(reader)
  }

  /** It has other reasons to read, or not to. */
  leave(reader: Reader): void {
    this.#waiting.delete(reader)
  }

  forget(reader: Reader): void {
    this.#waiting.delete(reader)
    this.#reading.delete(reader)
  }

  close(): void {
    this.#stopListening()
  }

  /** Once for each time that the budget runs out. */
  #stopAll(): void {
    this.#isFull = true
    for (const reader of [...this.#reading]) reader()
    this.#isFull = this.#memory.full
    // Not now: the reader that asks has not heard its answer yet.
    this.#clock.soon(this.#ranOut)
  }

  #wake(): void {
    if (this.#memory.full) return
    this.#isFull = false
    let woken = 0
    for (const reader of [...this.#waiting].slice(0, WOKEN_AT_ONCE)) {
      if (this.#memory.full) return
      reader()
      woken++
    }
    if (woken > 0 && this.#waiting.size > 0) this.#wakeSoon()
  }

  #wakeSoon(): void {
    if (this.#wakeIsDue) return
    this.#wakeIsDue = true
    this.#clock.soon(() => {
      this.#wakeIsDue = false
      this.#wake()
    })
  }
}
