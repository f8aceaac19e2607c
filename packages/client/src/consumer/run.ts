// run(): handlers at work side by side, in the order that was asked for.
// Enters: records. Leaves: when all handlers are done, or the error that stopped them.
import { type Clock, sleep } from '@minikafka/platform'
import { MinikafkaError } from '@minikafka/protocol'
import type { Core } from '../core/index.ts'
import type { Bell } from './bell.ts'
import { traceProcess, tracesProcess } from './channels.ts'
import type { Feed } from './feed.ts'
import { type Lanes, lanesOf } from './lanes.ts'
import type { Mode, ModeParts } from './mode.ts'
import type { Failed, Policy } from './policy.ts'
import type { FetchedRecord } from './record.ts'
import type { Source } from './source.ts'
import type { Task } from './task.ts'

export type RunParts = ModeParts & {
  readonly core: Core
  readonly source: Source
  readonly policy: Policy
  readonly bell: Bell
  /** Runs `work` so that a close() called inside it knows who calls. */
  readonly inside: <R>(task: Task, work: () => R) => R
}

export type RunSettings = {
  readonly concurrency: number
  readonly order: 'partition' | 'key' | 'none'
  readonly signal: AbortSignal | undefined
}

type Handler = (record: FetchedRecord, context: { attempt: number }) => unknown

/** Handlers that need no promise run one after the other in one turn; after so many the loop gets its turn. */
const TASKS_PER_TURN = 256

export class Run implements Mode {
  readonly name = 'run()'
  readonly #parts: RunParts
  readonly #clock: Clock
  readonly #handler: Handler
  readonly #settings: RunSettings
  readonly #lanes: Lanes
  readonly #working = new Set<Task>()
  /** Ends the waits between attempts. */
  readonly #over = new AbortController()
  #failure: { readonly error: unknown } | undefined

  constructor(parts: RunParts, handler: Handler, settings: RunSettings) {
    this.#parts = parts
    this.#clock = parts.core.env.clock
    this.#handler = handler
    this.#settings = settings
    this.#lanes = lanesOf(settings.order, parts.source)
  }

  async go(): Promise<void> {
    try {
      if (!this.#isEnding) await this.#parts.open(this.#settings.signal)
      await this.#work()
    } catch (error) {
      this.#failure ??= { error }
    }
    this.#over.abort()
    while (this.#working.size > 0) await this.#parts.bell.wait()
    this.#lanes.giveBack()
    this.#parts.ended()
    if (this.#failure !== undefined) throw this.#failure.error
  }

  async #work(): Promise<void> {
    const { bell } = this.#parts
    let inTurn = 0
    while (!this.#isOver) {
      const task = this.#working.size < this.#settings.concurrency ? this.#nextTask() : undefined
      if (task === undefined) await bell.wait(this.#settings.signal)
      else this.#start(task)
      if (task === undefined) inTurn = 0
      else if (++inTurn % TASKS_PER_TURN === 0) await turnOf(this.#clock)
    }
    this.#settings.signal?.throwIfAborted()
  }

  #nextTask(): Task | undefined {
    return this.#parts.stopped() ? this.#lanes.nextGap() : this.#lanes.next()
  }

  /** What stands in front of records that are done is done first: else they would have to be done once more. */
  get #isOver(): boolean {
    if (!this.#isEnding) return false
    const isHurried = this.#failure !== undefined || this.#settings.signal?.aborted === true
    return isHurried || !this.#lanes.hasGaps()
  }

  get #isEnding(): boolean {
    const { signal } = this.#settings
    return this.#parts.stopped() || this.#failure !== undefined || signal?.aborted === true
  }

  halt(): void {}

  isUnfinished(except: ReadonlySet<unknown>): boolean {
    let isInside = false
    for (const task of this.#working) {
      if (!except.has(task)) return true
      isInside = true
    }
    // What waits behind the one who closes waits for ever.
    return !isInside && this.#lanes.hasGaps()
  }

  holds(feed: Feed): boolean {
    for (const task of this.#working) if (task.feed === feed && !task.isAcked) return true
    return this.#lanes.hasGap(feed)
  }

  // --- one record --------------------------------------------------------------------------

  #start(task: Task): void {
    this.#working.add(task)
    let pending: Promise<unknown> | undefined
    try {
      const answer = this.#parts.inside(task, () => this.#handle(task))
      // What only looks like a promise, or throws in `then`, settles all the same.
      if (isThenable(answer)) pending = Promise.resolve(answer)
    } catch (thrown) {
      this.#failed(task, thrown)
      return
    }
    if (pending === undefined) this.#done(task)
    else
      pending.then(
        () => this.#done(task),
        (thrown: unknown) => this.#failed(task, thrown),
      )
  }

  #handle({ record, attempt }: Task): unknown {
    if (!tracesProcess()) return this.#handler(record, { attempt })
    const { topic, partition, offset } = record
    const trace = { topic, partition, offset, attempt, record }
    return traceProcess(() => this.#handler(record, { attempt }), trace)
  }

  /** The handler's promise fulfilled, or the policy lets the record pass. */
  #done(task: Task): void {
    this.#working.delete(task)
    this.#lanes.finish(task)
    this.#parts.finished(1)
    this.#parts.bell.ring()
  }

  #failed(task: Task, thrown: unknown): void {
    const { record, attempt } = task
    // It was told to let go, and did: the record is not finished, and nothing is wrong with it.
    if (task.feed.signal().aborted) {
      this.#working.delete(task)
      this.#lanes.letGo(task)
      this.#parts.bell.ring()
      return
    }
    const failed = { error: handlerFailed(record, thrown), record, attempt }
    try {
      const verdict = this.#parts.policy.decide(failed)
      if (verdict === 'stop') throw failed.error
      if (verdict === 'skip') this.#passBy(task, failed.error)
      else if (verdict === 'dead-letter') this.#bury(task, failed)
      else this.#again(task, verdict.retryAfterMs)
    } catch (error) {
      this.#stop(task, error)
    }
  }

  /** The record is at work until the dead-letter topic has it. */
  #bury(task: Task, failed: Failed): void {
    this.#parts.policy.deadLetter(failed).then(
      () => this.#passBy(task, failed.error),
      (error: unknown) => this.#stop(task, error),
    )
  }

  #passBy(task: Task, error: MinikafkaError): void {
    this.#parts.core.logger.warn({ err: error }, 'a record was passed by, as onError says')
    this.#done(task)
  }

  #stop(task: Task, error: unknown): void {
    this.#failure ??= { error }
    this.#working.delete(task)
    this.#parts.bell.ring()
  }

  /** Back-off holds up the record's lane, and no worker. */
  #again(task: Task, afterMs: number): void {
    this.#working.delete(task)
    task.isLeft = true
    this.#parts.bell.ring()
    sleep(this.#clock, afterMs, this.#over.signal).then(
      () => {
        this.#lanes.again(task)
        this.#parts.bell.ring()
      },
      // The run is over: the record is the next one of the next mode.
      () => {},
    )
  }
}

function turnOf(clock: Clock): Promise<void> {
  return new Promise((resolve) => clock.soon(resolve))
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value
}

function handlerFailed(record: FetchedRecord, thrown: unknown): MinikafkaError {
  const { topic, partition, offset } = record
  const why = thrown instanceof Error ? thrown.message : String(thrown)
  const message = `the handler failed for ${topic}-${partition} offset ${offset}: ${why}`
  const fields = { topic, partition, offset, message }
  return new MinikafkaError('HANDLER_FAILED', fields, { cause: thrown })
}
