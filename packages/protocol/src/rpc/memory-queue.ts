// Who may read while memory is short: those who hold little, and nobody when the budget is used up. The others wait.
// Enters: the account, and every connection that would read. Leaves: when each may, first come first served.
//
// Were all of ten thousand connections told at once, each would read one more chunk before it saw that the budget is
// used up again.
import type { Clock } from '@minikafka/platform'
import type { MemoryAccount } from './service.ts'

/** Told together, in one turn of the event loop. */
const WOKEN_AT_ONCE = 16

export type Reader = {
  /** Asks the queue, then reads or does not. */
  adjustReading(): void
  /** It holds more than its share. */
  readonly isGreedy: boolean
  /** It waits in the middle of a frame, and has nothing else in hand that could be given back. */
  readonly isStarved: boolean
}

export class MemoryQueue {
  readonly #clock: Clock
  readonly #memory: MemoryAccount
  readonly #someoneWaits: () => void
  readonly #stopListening: () => void
  /** May read. Invariant: nobody is in both sets. */
  readonly #reading = new Set<Reader>()
  /** Must wait, in the order in which they began to. */
  readonly #waiting = new Set<Reader>()
  /** Who waited when there was room, and is still to be told. */
  #told: Reader[] = []
  #tellAgain = false
  #isFull = false
  #isTellingDue = false
  #isSayingDue = false

  /** `someoneWaits` is called in the turn after somebody began to wait. */
  constructor(clock: Clock, memory: MemoryAccount, someoneWaits: () => void) {
    this.#clock = clock
    this.#memory = memory
    this.#someoneWaits = someoneWaits
    this.#stopListening = memory.onRoom(() => this.#wake())
  }

  /** A reader's question before it reads on. Where it must wait, it is told when its turn has come. */
  mustWait(reader: Reader): boolean {
    if (!this.#memory.full && !reader.isGreedy) {
      this.#waiting.delete(reader)
      this.#reading.add(reader)
      return false
    }
    this.#reading.delete(reader)
    if (!this.#waiting.has(reader)) this.#saySoon()
    this.#waiting.add(reader)
    if (this.#memory.full && !this.#isFull) this.#stopAll()
    // Those that were stopped may have given memory back, and this one have been told already.
    return this.#waiting.has(reader)
  }

  isWaiting(reader: Reader): boolean {
    return this.#waiting.has(reader)
  }

  /** Of those that nothing but more memory can help, the one that waits longest. */
  firstStarved(): Reader | undefined {
    for (const reader of this.#waiting) if (reader.isStarved) return reader
    return undefined
  }

  /** And the one that began to wait last. */
  lastStarved(): Reader | undefined {
    let last: Reader | undefined
    for (const reader of this.#waiting) if (reader.isStarved) last = reader
    return last
  }

  /** Memory was given back: what is a share has grown. */
  released(): void {
    if (this.#waiting.size === 0 || this.#memory.full) return
    this.#tellAgain = true
    this.#tellSoon()
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
    for (const reader of [...this.#reading]) reader.adjustReading()
    this.#isFull = this.#memory.full
  }

  /** Not now: the reader that asks has not heard its answer yet. */
  #saySoon(): void {
    if (this.#isSayingDue) return
    this.#isSayingDue = true
    this.#clock.soon(() => {
      this.#isSayingDue = false
      this.#someoneWaits()
    })
  }

  #wake(): void {
    if (this.#memory.full) return
    this.#isFull = false
    this.#tellAgain = true
    this.#tell()
  }

  /** All who wait, a few a turn; once more where memory was given back meanwhile. */
  #tell(): void {
    if (this.#told.length === 0 && this.#tellAgain) {
      this.#tellAgain = false
      this.#told = [...this.#waiting].reverse()
    }
    for (let count = 0; count < WOKEN_AT_ONCE && !this.#memory.full; count++) {
      const reader = this.#told.pop()
      if (reader === undefined) break
      if (this.#waiting.has(reader)) reader.adjustReading()
    }
    if (this.#memory.full) this.#told = []
    else if (this.#told.length > 0 || this.#tellAgain) this.#tellSoon()
  }

  #tellSoon(): void {
    if (this.#isTellingDue) return
    this.#isTellingDue = true
    this.#clock.soon(() => {
      this.#isTellingDue = false
      this.#tell()
    })
  }
}
