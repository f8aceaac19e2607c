// Lanes: which requests of one key may overlap, and who waits for whom (REPLICATION 2.13.1). Different keys never wait
// for each other. Enters: a request and how it may overlap. Leaves: its answer, at once where nothing is to be written.
import { MinikafkaError } from '@minikafka/protocol'

/**
 * `alone`: no other `alone` and no `last` of the key is in flight. `beside`: any number at a time, after the `alone` and
 * `last` that came before. `last`: nothing of the key is in flight.
 */
export type Order = 'alone' | 'beside' | 'last'

/** `committed`: the records are durable and applied; undefined where there were none. */
export type Begun<R> = { readonly response: R; readonly committed: Promise<void> | undefined }

/** Who waits for the answer; a request of one that is gone is dropped unless it was begun. */
export type Asker = { readonly gone: boolean; begun(): void }

/** What may wait in all lanes of a broker; each waiting request holds its frame. */
export type Room = { waiting: number; readonly waitingMax: number }

/** More than a group has members: each has one heartbeat under way, and a commit or two. */
const WAITING_MAX = 4_000

type Waiting<Q, R> = {
  readonly order: Order
  readonly request: Q
  readonly asker: Asker | undefined
  resolve(answer: R | Promise<R>): void
  reject(error: unknown): void
}

type Lane<Q, R> = {
  /** An `alone` or a `last` is in flight. */
  isTaken: boolean
  besideCount: number
  /** In the order of arrival. */
  readonly waiting: Waiting<Q, R>[]
}

export class Lanes<Q, R> {
  readonly #begin: (request: Q) => Begun<R>
  readonly #room: Room
  /** Of keys with something in flight. */
  readonly #lanes = new Map<string, Lane<Q, R>>()

  /** `begin` decides and appends, in one turn; what it throws is the answer. */
  constructor(begin: (request: Q) => Begun<R>, room: Room) {
    this.#begin = begin
    this.#room = room
  }

  /** Keys with something in flight. */
  get busyCount(): number {
    return this.#lanes.size
  }

  /**
   * Begins a request, now or in its turn. Without an asker it is the broker's own and always finds room to wait.
   *
   * Errors  what `begin` throws, what `committed` rejects with; THROTTLING_QUOTA_EXCEEDED where too many wait.
   */
  run(key: string, order: Order, request: Q, asker?: Asker): R | Promise<R> {
    const lane = this.#lanes.get(key)
    if (lane === undefined || (lane.waiting.length === 0 && mayBegin(lane, order)))
      return this.#start(key, order, request, asker)
    if (asker !== undefined) this.#mustHaveRoom(key, lane)
    return new Promise<R>((resolve, reject) => {
      lane.waiting.push({ order, request, asker, resolve, reject })
      this.#room.waiting++
    })
  }

  /** Whoever waits for its turn hears this; what is in flight is the caller's. */
  dropWaiting(error: Error): void {
    for (const { waiting } of this.#lanes.values()) {
      this.#room.waiting -= waiting.length
      for (const one of waiting.splice(0)) one.reject(error)
    }
  }

  #mustHaveRoom(key: string, lane: Lane<Q, R>): void {
    const { waiting, waitingMax } = this.#room
    if (lane.waiting.length < WAITING_MAX && waiting < waitingMax) return
    const where = lane.waiting.length < WAITING_MAX ? 'this broker' : `group ${key}`
    throw new MinikafkaError('THROTTLING_QUOTA_EXCEEDED', {
      message: `too many requests wait for ${where}; try again in a moment`,
    })
  }

  #start(key: string, order: Order, request: Q, asker: Asker | undefined): R | Promise<R> {
    asker?.begun()
    const { response, committed } = this.#begin(request)
    if (committed === undefined) return response
    const lane = this.#lanes.get(key) ?? this.#open(key)
    if (order === 'beside') lane.besideCount++
    else lane.isTaken = true
    const done = () => {
      if (order === 'beside') lane.besideCount--
      else lane.isTaken = false
      this.#goOn(key, lane)
    }
    // Who comes first is answered first: the next one may be done within `done`.
    return new Promise<R>((resolve, reject) => {
      committed.then(
        () => {
          resolve(response)
          done()
        },
        (error: unknown) => {
          reject(error)
          done()
        },
      )
    })
  }

  #open(key: string): Lane<Q, R> {
    const lane: Lane<Q, R> = { isTaken: false, besideCount: 0, waiting: [] }
    this.#lanes.set(key, lane)
    return lane
  }

  #goOn(key: string, lane: Lane<Q, R>): void {
    for (;;) {
      const [next] = lane.waiting
      if (next === undefined) break
      const isGone = next.asker?.gone === true
      if (!isGone && !mayBegin(lane, next.order)) return
      lane.waiting.shift()
      this.#room.waiting--
      // Nobody hears it: the connection is closed, or the answer was a time-out.
      if (isGone) next.reject(new MinikafkaError('CLOSED', { message: 'nobody waits for it' }))
      else this.#resume(key, next)
    }
    if (!lane.isTaken && lane.besideCount === 0) this.#lanes.delete(key)
  }

  #resume(key: string, { order, request, asker, resolve, reject }: Waiting<Q, R>): void {
    try {
      resolve(this.#start(key, order, request, asker))
    } catch (error) {
      reject(error)
    }
  }
}

function mayBegin(lane: { isTaken: boolean; besideCount: number }, order: Order): boolean {
  if (lane.isTaken) return false
  return order !== 'last' || lane.besideCount === 0
}
