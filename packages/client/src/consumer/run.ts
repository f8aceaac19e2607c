// run(): handlers at work side by side, in the order that was asked for. Enters: records. Leaves: when all are done, or the error that stopped it.
import { sleep } from '@minikafka/platform'
import { MinikafkaError } from '@minikafka/protocol'
import type { Core } from '../core/index.ts'
import type { Feed } from './feed.ts'
import type { Policy } from './policy.ts'
import type { FetchedRecord } from './record.ts'
import type { Source } from './source.ts'

export type RunParts = {
  readonly core: Core
  readonly source: Source
  readonly policy: Policy
  readonly stopped: () => boolean
  readonly finished: (count: number) => void
  /** Runs `work` so that a close() called inside it does not wait for it. */
  readonly inside: <R>(work: () => R) => R
}

type Handler = (record: FetchedRecord, context: { attempt: number }) => unknown

/** Records read ahead of the handlers: enough that a slow key does not idle the others. */
const AHEAD_PER_WORKER = 16

export class Run {
  readonly #parts: RunParts
  readonly #handler: Handler
  readonly #concurrency: number
  readonly #laneOf: (record: FetchedRecord) => string
  readonly #signal: AbortSignal | undefined
  /** Records of a lane that wait for the one before; a lane with an empty list is at work. */
  readonly #lanes = new Map<string, FetchedRecord[]>()
  readonly #ready: string[] = []
  /** Handed out and not finished, by feed, in order: where the next loop begins if this one stops. */
  readonly #open = new Map<Feed, Set<FetchedRecord>>()
  #working = 0
  #waiting = 0
  #failure: unknown
  #wake: (() => void) | undefined

  constructor(
    parts: RunParts,
    handler: Handler,
    options: {
      concurrency: number
      order: 'partition' | 'key' | 'none'
      signal: AbortSignal | undefined
    },
  ) {
    this.#parts = parts
    this.#handler = handler
    this.#concurrency = options.concurrency
    this.#signal = options.signal
    this.#laneOf = laneOf(options.order)
  }

  async go(): Promise<void> {
    try {
      while (!this.#ending) {
        if (this.#working + this.#waiting >= this.#concurrency * AHEAD_PER_WORKER)
          await this.#change()
        else await this.#takeSome()
      }
    } catch (error) {
      this.#failure ??= error
    }
    while (this.#working > 0) await this.#change()
    for (const [feed, open] of this.#open) {
      const [first] = open
      if (first !== undefined) feed.giveBack(first)
    }
    if (this.#failure !== undefined) throw this.#failure
  }

  get #ending(): boolean {
    return this.#parts.stopped() || this.#failure !== undefined || this.#signal?.aborted === true
  }

  async #takeSome(): Promise<void> {
    const found = await Promise.race([
      this.#parts.source.wait(this.#signal),
      this.#changeWhileReading(),
    ])
    if (found === undefined || this.#ending) return
    const records = found.hand(this.#concurrency, this.#parts.core.env.clock.monotonicMs())
    this.#parts.source.handedOut(found)
    const open = this.#open.get(found) ?? new Set()
    this.#open.set(found, open)
    for (const record of records) {
      open.add(record)
      this.#put(found, record)
    }
    this.#start()
  }

  /** A failed handler ends the wait for more records. */
  #changeWhileReading(): Promise<undefined> {
    return new Promise((resolve) => {
      this.#onFailure = () => resolve(undefined)
    })
  }

  #onFailure: (() => void) | undefined

  #put(feed: Feed, record: FetchedRecord): void {
    const lane = this.#laneOf(record)
    const waiting = this.#lanes.get(lane)
    this.#waiting++
    this.#feedOf.set(record, feed)
    if (waiting !== undefined) waiting.push(record)
    else {
      this.#lanes.set(lane, [record])
      this.#ready.push(lane)
    }
  }

  readonly #feedOf = new Map<FetchedRecord, Feed>()

  #start(): void {
    while (this.#working < this.#concurrency && !this.#ending) {
      const lane = this.#ready.shift()
      if (lane === undefined) return
      const record = this.#lanes.get(lane)?.shift()
      if (record === undefined) continue
      this.#waiting--
      this.#working++
      void this.#handle(lane, record)
    }
  }

  async #handle(lane: string, record: FetchedRecord): Promise<void> {
    try {
      await this.#withPolicy(record)
      this.#finish(record)
    } catch (error) {
      this.#failure ??= error
      this.#onFailure?.()
    }
    this.#working--
    if ((this.#lanes.get(lane)?.length ?? 0) > 0) this.#ready.push(lane)
    else this.#lanes.delete(lane)
    this.#start()
    this.#wake?.()
  }

  #finish(record: FetchedRecord): void {
    const feed = this.#feedOf.get(record)
    this.#feedOf.delete(record)
    if (feed !== undefined) this.#open.get(feed)?.delete(record)
    this.#parts.finished(1)
  }

  /** The handler, again and again as the policy says. Errors: HANDLER_FAILED where it says stop. */
  async #withPolicy(record: FetchedRecord): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#parts.inside(() => this.#handler(record, { attempt }))
        return
      } catch (thrown) {
        const error = handlerFailed(record, thrown)
        const verdict = this.#parts.policy.decide(error, record, attempt)
        if (verdict === 'skip') return
        if (verdict === 'stop') throw error
        if (verdict === 'dead-letter')
          return await this.#parts.policy.deadLetter(record, error, attempt)
        await sleep(this.#parts.core.env.clock, verdict.retryAfterMs)
        if (this.#ending) throw error
      }
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined
        resolve()
      }
    })
  }
}

function laneOf(order: 'partition' | 'key' | 'none'): (record: FetchedRecord) => string {
  let count = 0
  if (order === 'none') return () => String(count++)
  if (order === 'partition') return ({ topic, partition }) => `${topic}-${partition}`
  // Records without a key have no order to keep among themselves beyond their partition's.
  return ({ topic, partition, key }) => `${topic}-${partition}-${key === null ? '' : String(key)}`
}

function handlerFailed(record: FetchedRecord, thrown: unknown): MinikafkaError {
  const { topic, partition, offset } = record
  const why = thrown instanceof Error ? thrown.message : String(thrown)
  const message = `the handler failed for ${topic}-${partition} offset ${offset}: ${why}`
  return new MinikafkaError(
    'HANDLER_FAILED',
    { topic, partition, offset, message },
    { cause: thrown },
  )
}
