// The closed batches of one partition in their order: those that wait, and those that a broker has.
// Holds: a batch keeps its place over all attempts. From the first that is unacknowledged to the last that was sent
// there are at most `maxInFlight` places: a broker remembers the last five batches of a producer, so that a retry of
// one further back would be a gap to it, even if all between them are acknowledged.
import { assert } from '@minikafka/platform'
import type { Batch } from './batch.ts'

export class Window {
  readonly #sizeMax: number
  /** Invariant: `order` ascends. */
  readonly #queue: Batch[] = []
  /** Settled ones stay until their answer comes, or their connection dies. */
  readonly #inFlight: Batch[] = []

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax
  }

  get empty(): boolean {
    return this.#queue.length === 0 && this.#inFlight.length === 0
  }

  get queue(): readonly Batch[] {
    return this.#queue
  }

  get inFlight(): readonly Batch[] {
    return this.#inFlight
  }

  /** A batch with that place could go at once. */
  hasRoom(order: number): boolean {
    return this.#queue.length === 0 && this.#fits(order)
  }

  add(batch: Batch): void {
    this.#queue.push(batch)
  }

  /** The first in the queue, if it may go. */
  next(): Batch | undefined {
    const head = this.#queue[0]
    if (head === undefined) return undefined
    if (head.attempts > 0) return this.mayGo(head) ? head : undefined
    return this.#fits(head.order) ? head : undefined
  }

  /** One that came too early for the broker waits until all before it have come back, or are given up. */
  mayGo(batch: Batch): boolean {
    if (!batch.outOfOrder) return true
    return !this.#inFlight.some(({ order, settled }) => order < batch.order && !settled)
  }

  /** An attempt begins. */
  depart(batch: Batch): void {
    assert(remove(this.#queue, batch), 'a batch departs from the queue')
    batch.attempts++
    batch.outOfOrder = false
    this.#inFlight.push(batch)
    const first = this.#firstUnacknowledged()
    assert(batch.order - (first ?? batch.order) < this.#sizeMax, 'the window of a partition holds')
  }

  /** An attempt is over. */
  land(batch: Batch): void {
    assert(remove(this.#inFlight, batch), 'a batch lands once for each departure')
  }

  /** Back to its place, to be tried again. */
  requeue(batch: Batch): void {
    const index = this.#queue.findIndex(({ order }) => order > batch.order)
    this.#queue.splice(index === -1 ? this.#queue.length : index, 0, batch)
  }

  /** It is settled: it is not sent (again). */
  drop(batch: Batch): void {
    remove(this.#queue, batch)
  }

  /**
   * One before this batch may still come in its epoch. `lost`: the epoch ends, so that only those of unknown
   * outcome are tried in it again.
   */
  hasEarlier(batch: Batch, lost: boolean): boolean {
    const earlier = ({ order, settled }: Batch) => order < batch.order && !settled
    const again = ({ attempts, tainted }: Batch) => attempts > 0 && (tainted || !lost)
    return (
      this.#inFlight.some(earlier) || this.#queue.some((other) => earlier(other) && again(other))
    )
  }

  #fits(order: number): boolean {
    const first = this.#firstUnacknowledged()
    return (
      this.#inFlight.length < this.#sizeMax &&
      (first === undefined || order - first < this.#sizeMax)
    )
  }

  /** Place of the first batch that was sent and is not settled. */
  #firstUnacknowledged(): number | undefined {
    const head = this.#queue[0]
    let first = head !== undefined && head.attempts > 0 ? head.order : undefined
    for (const { order, settled } of this.#inFlight) {
      if (!settled && (first === undefined || order < first)) first = order
    }
    return first
  }
}

function remove(list: Batch[], batch: Batch): boolean {
  const index = list.indexOf(batch)
  if (index === -1) return false
  list.splice(index, 1)
  return true
}
