// What is yet to happen, soonest first: a binary heap over (virtual time, tie-break, sequence).
// Enters: events in any order. Leaves: the next one that is still to run.
import type { Process } from './process.ts'

export type Event = {
  readonly atMs: number
  /** Drawn from the seed: first-in-first-out among what is due at once would hide interleavings. */
  readonly tie: number
  readonly sequence: number
  /** Constant words: they go into the running hash and into `pending()`. */
  readonly label: string
  /** An event of a dead process never runs. Undefined: the world's own. */
  readonly owner: Process | undefined
  /** `io` completes by itself; a `timer` is what a held clock makes wait. */
  readonly kind: 'io' | 'timer'
  /** Where it was asked for, for `pending()`; undefined where nobody will ask. */
  readonly origin: Error | undefined
  /** Undefined once it ran or was cancelled. A promise holds up the world until it settles. */
  run: (() => void | Promise<void>) | undefined
}

const CANCELLED_MIN = 256

export class EventHeap {
  #events: Event[] = []
  /** Of `#events`, those that will not run any more. */
  #cancelledCount = 0
  #ioCount = 0

  /** Live events of kind `io`: none means that everything waits for a timer. */
  get ioCount(): number {
    return this.#ioCount
  }

  peek(): Event | undefined {
    let first = this.#events[0]
    while (first !== undefined && first.run === undefined) {
      this.#removeFirst()
      this.#cancelledCount--
      first = this.#events[0]
    }
    return first
  }

  push(event: Event): void {
    if (event.kind === 'io') this.#ioCount++
    this.#events.push(event)
    this.#rise(this.#events.length - 1)
  }

  /** Takes what `peek` shows. */
  pop(): Event | undefined {
    const first = this.peek()
    if (first === undefined) return undefined
    if (first.kind === 'io') this.#ioCount--
    this.#removeFirst()
    return first
  }

  cancel(event: Event): void {
    if (event.run === undefined) return
    event.run = undefined
    if (event.kind === 'io') this.#ioCount--
    this.#cancelledCount++
    // Time-outs of requests that were answered: on a held clock they would never surface.
    if (this.#cancelledCount > CANCELLED_MIN && this.#cancelledCount * 2 > this.#events.length) {
      this.#rebuild()
    }
  }

  cancelAllOf(owner: Process): void {
    for (const event of this.#events) if (event.owner === owner) event.run = undefined
    this.#rebuild()
  }

  clear(): void {
    for (const event of this.#events) event.run = undefined
    this.#rebuild()
  }

  /** In order of time, for people to read. */
  list(): Event[] {
    return this.#events.filter((event) => event.run).sort((a, b) => (isBefore(a, b) ? -1 : 1))
  }

  #rebuild(): void {
    const live = this.#events.filter((event) => event.run !== undefined)
    this.#events = []
    this.#cancelledCount = 0
    this.#ioCount = 0
    for (const event of live) this.push(event)
  }

  #rise(from: number): void {
    const events = this.#events
    const event = events[from] as Event
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = events[parent] as Event
      if (!isBefore(event, above)) break
      events[index] = above
      index = parent
    }
    events[index] = event
  }

  #removeFirst(): void {
    const events = this.#events
    const last = events.pop() as Event
    if (events.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= events.length) break
      const right = child + 1
      if (right < events.length && isBefore(events[right] as Event, events[child] as Event)) {
        child = right
      }
      if (!isBefore(events[child] as Event, last)) break
      events[index] = events[child] as Event
      index = child
    }
    events[index] = last
  }
}

function isBefore(a: Event, b: Event): boolean {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs
  if (a.tie !== b.tie) return a.tie < b.tie
  return a.sequence < b.sequence
}
