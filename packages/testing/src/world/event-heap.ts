// What is yet to happen, soonest first: a binary heap over (virtual time, round, tie-break, sequence).
// Enters: events in any order. Leaves: the next one that is still to run.
import type { Process } from './process.ts'

export type Event = {
  atMs: number
  /** Within one moment: what an event causes at once has its turn after all that were due together with that event. */
  round: number
  /** Drawn from the seed: first-in-first-out within a round would hide interleavings. */
  tie: number
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

/** A round of a moment. */
export type Moment = Pick<Event, 'atMs' | 'round'>

const CANCELLED_MIN = 256
/** More rounds than ever follow from one event. */
const ROUNDS_APART = 2 ** 20

export class EventHeap {
  #events: Event[] = []
  /** Of `#events`, those that will not run any more. */
  #cancelledCount = 0
  #ioCount = 0
  /** Of processes that are paused. */
  readonly #deferred = new Set<Event>()

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
    if (event.owner?.paused) {
      this.#deferred.add(event)
      return
    }
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
    if (this.#deferred.delete(event)) return
    if (event.kind === 'io') this.#ioCount--
    this.#cancelledCount++
    // Time-outs of requests that were answered: on a held clock they would never surface.
    if (this.#cancelledCount > CANCELLED_MIN && this.#cancelledCount * 2 > this.#events.length) {
      this.#rebuild()
    }
  }

  cancelAllOf(owner: Process): void {
    for (const event of this.#all()) if (event.owner === owner) event.run = undefined
    this.#rebuild()
  }

  /** The owner was paused: its events wait outside of the heap. */
  defer(): void {
    this.#rebuild()
  }

  /**
   * The owner goes on: what it missed happens now, all in one go, its timers among themselves in the order of their
   * times. An event loop may have been stopped before its timers or behind them.
   */
  admit(owner: Process, { atMs, round }: Moment, timersFirst: boolean): void {
    const own = [...this.#deferred].filter((event) => event.owner === owner).sort(compare)
    const late = own.filter((event) => event.atMs <= atMs)
    const ranked = [
      ...late.filter(({ kind }) => (kind === 'timer') === timersFirst),
      ...late.filter(({ kind }) => (kind === 'timer') !== timersFirst),
    ]
    for (const [rank, event] of ranked.entries()) {
      event.atMs = atMs
      event.round = round
      event.tie = rank
    }
    for (const event of own) {
      this.#deferred.delete(event)
      this.push(event)
    }
  }

  /** When the first event happens that must not be late. */
  firstPunctualMs(): number {
    let firstMs = Number.POSITIVE_INFINITY
    for (const event of this.#events)
      if (event.run !== undefined && isPunctual(event)) firstMs = Math.min(firstMs, event.atMs)
    return firstMs
  }

  /** Time goes to `atMs` at once. Who was due before is late: in order, and all that follows from one before the next. */
  oversleep(atMs: number): void {
    const late = this.#events.filter((event) => event.run !== undefined && event.atMs < atMs)
    for (const [rank, event] of late.sort(compare).entries()) {
      event.atMs = atMs
      event.round = (rank + 1) * ROUNDS_APART
    }
    this.#rebuild()
  }

  clear(): void {
    for (const event of this.#all()) event.run = undefined
    this.#rebuild()
  }

  /** In order of time, for people to read. */
  list(): Event[] {
    return this.#all()
      .filter((event) => event.run)
      .sort(compare)
  }

  #all(): Event[] {
    return [...this.#events, ...this.#deferred]
  }

  #rebuild(): void {
    const live = this.#all().filter((event) => event.run !== undefined)
    this.#events = []
    this.#deferred.clear()
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

/** A timer of a process that naps may be late. */
export function isPunctual({ kind, owner }: Event): boolean {
  return kind === 'io' || owner?.facts.naps !== true
}

function compare(a: Event, b: Event): number {
  return isBefore(a, b) ? -1 : 1
}

function isBefore(a: Event, b: Event): boolean {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs
  if (a.round !== b.round) return a.round < b.round
  if (a.tie !== b.tie) return a.tie < b.tie
  return a.sequence < b.sequence
}
