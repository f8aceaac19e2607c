// The one thread of the simulated world: takes the next event, sets the clock, runs it, and lets all
// promises settle before the one after it. Held, jumping and real time differ only in how far it may go.
import { assert, type Clock } from '@minikafka/platform'
import { type Event, EventHeap, isPunctual, type Moment } from './event-heap.ts'
import { Generator } from './generator.ts'
import { Naps, napMsOf } from './naps.ts'
import type { Process } from './process.ts'
import type { RunningHash } from './running-hash.ts'

/**
 * `held`     what is due now runs by itself, later things wait for `advance` or `until`.
 * `jumping`  when everything waits for a timer, time jumps to the next one.
 * `real`     ordinary time.
 */
export type ClockMode = 'held' | 'jumping' | 'real'

export type SchedulerOptions = {
  readonly seed: number
  readonly mode: ClockMode
  /** One turn of the real event loop: V8 has drained all promises when it resolves. */
  readonly turn: () => Promise<void>
  readonly realClock: Clock
  readonly hash: RunningHash
  /** Sockets are real: what happens there is seen only by giving it real time. */
  readonly realIo?: boolean | undefined
  /** Code under test threw where nobody could catch it. */
  readonly crashed: (owner: Process | undefined, error: unknown) => void
  /** One line an event, to find where two runs part. */
  readonly trace?: ((line: string) => void) | undefined
}

/** Somebody who waits for the world: for a time, or for a condition before that time. */
type Wait = {
  readonly untilMs: number
  readonly holds: (() => boolean) | undefined
  /** It does not matter when exactly routine happens until then. */
  readonly napMs: number | undefined
  readonly settle: (outcome: 'reached' | 'holds') => void
  readonly fail: (error: unknown) => void
}

/** What is called once a wait is over. */
type Ending = () => void

/** Real time that real sockets get before virtual time moves on. */
const REAL_IO_MS = 5

export class Scheduler {
  readonly mode: ClockMode
  readonly #heap = new EventHeap()
  readonly #options: SchedulerOptions
  readonly #ties: Generator
  readonly #naps = new Naps()
  readonly #realStartMs: number
  #nowMs = 0
  /** Of the moment `#nowMs`: the one of the event that ran last. */
  #round = 0
  #sequence = 0
  #pumping = false
  #closed = false
  #waits: Wait[] = []
  /** Ends the real sleep of the pump before its time. */
  #stopSleeping: (() => void) | undefined

  constructor(options: SchedulerOptions) {
    this.mode = options.mode
    this.#options = options
    this.#ties = new Generator(options.seed, 'ties')
    this.#realStartMs = options.realClock.monotonicMs()
  }

  /** Milliseconds since the world began. */
  get nowMs(): number {
    return this.mode === 'real' ? this.#realNowMs() : this.#nowMs
  }

  /** True while something is due that needs no timer: bytes on their way, a disk at work. */
  get busy(): boolean {
    return this.#heap.ioCount > 0
  }

  get eventCount(): number {
    return this.#sequence
  }

  schedule(
    owner: Process | undefined,
    kind: Event['kind'],
    label: string,
    delayMs: number,
    run: () => void | Promise<void>,
  ): Event {
    assert(delayMs >= 0, 'an event lies in the future')
    const tie = (owner?.facts.ties ?? this.#ties).uint32()
    const named = kind === 'timer' && this.mode === 'held' && owner?.facts.namesTimers !== false
    const event: Event = {
      ...this.#momentIn(delayMs),
      tie,
      sequence: this.#sequence++,
      label,
      owner,
      kind,
      origin: named ? new Error(label) : undefined,
      run: this.#closed || owner?.alive === false ? undefined : run,
    }
    if (event.run === undefined) return event
    this.#heap.push(event)
    this.#wake()
    return event
  }

  cancel(event: Event): void {
    this.#heap.cancel(event)
  }

  cancelAllOf(owner: Process): void {
    this.#heap.cancelAllOf(owner)
  }

  /** Nothing of the process runs until it is resumed; time passes for everybody else. */
  pause(owner: Process): void {
    owner.setPaused(true)
    this.#heap.defer()
  }

  resume(owner: Process): void {
    if (!owner.paused) return
    owner.setPaused(false)
    this.#heap.admit(owner, this.#momentIn(0), this.#ties.chance(0.5))
    this.#wake()
  }

  pending(): Event[] {
    return this.#heap.list()
  }

  /** Moves time on; resolves when everything up to then has run. On a held clock processes may nap meanwhile. */
  async advance(delayMs: number): Promise<void> {
    const mayNap = this.mode === 'held' && this.#options.realIo !== true
    this.#naps.stayAwake(this.nowMs)
    await this.#wait(this.nowMs + delayMs, undefined, mayNap ? napMsOf(delayMs) : undefined)
  }

  /** Runs the world, moving time only as far as needed. False: the deadline passed first. */
  async until(holds: () => boolean, deadlineMs: number): Promise<boolean> {
    return (await this.#wait(this.nowMs + deadlineMs, holds)) === 'holds'
  }

  /** What waits for the world learns of a failure of the world. */
  fail(error: unknown): void {
    const waits = this.#waits
    this.#waits = []
    for (const wait of waits) wait.fail(error)
  }

  close(): void {
    this.#closed = true
    this.#heap.clear()
    this.fail(new Error('the world was closed'))
    this.#stopSleeping?.()
  }

  /** Whatever is due at once waits for the next round: else one of unlucky ties would wait as long as others go on. */
  #momentIn(delayMs: number): Moment {
    const atMs = this.nowMs + delayMs
    return { atMs, round: atMs === this.#nowMs ? this.#round + 1 : 0 }
  }

  #wait(
    untilMs: number,
    holds: (() => boolean) | undefined,
    napMs?: number,
  ): Promise<'reached' | 'holds'> {
    return new Promise((settle, fail) => {
      if (this.#closed) return fail(new Error('the world is closed'))
      this.#waits.push({ untilMs, holds, napMs, settle, fail })
      this.#wake()
    })
  }

  #wake(): void {
    this.#stopSleeping?.()
    if (this.#pumping) return
    this.#pumping = true
    void this.#pump()
  }

  async #pump(): Promise<void> {
    let rested = false
    while (!this.#closed) {
      await this.#options.turn()
      if (this.#closed) break
      if (this.#settleWhatHolds()) continue
      const event = this.#heap.peek()
      const stopMs = this.#firstStopMs()
      const atMs = Math.min(event?.atMs ?? Number.POSITIVE_INFINITY, stopMs)
      const restMs = rested ? undefined : this.#restMs(atMs)
      if (restMs !== undefined) {
        await this.#sleep(restMs)
        rested = this.mode !== 'real'
        continue
      }
      rested = false
      if (atMs > this.#mayGoTo()) break
      if (event !== undefined && this.#nap(event, stopMs)) continue
      if (event === undefined || event.atMs > stopMs) this.#reach(stopMs)
      else {
        // Only few are asynchronous: an await for each would be another turn of the microtasks.
        const work = this.#run(event)
        if (work !== undefined) await this.#finish(event, work)
      }
    }
    this.#pumping = false
  }

  /** How long to sleep for real before the next look; undefined: not at all. */
  #restMs(atMs: number): number | undefined {
    const { realIo } = this.#options
    const ioMs = realIo && this.#waits.some((wait) => wait.holds) ? REAL_IO_MS : undefined
    if (this.mode !== 'real') return atMs > this.#nowMs ? ioMs : undefined
    const leftMs = atMs - this.#realNowMs()
    if (leftMs <= 0 || atMs === Number.POSITIVE_INFINITY) return undefined
    return Math.min(leftMs, ioMs ?? leftMs)
  }

  /** Passes over what the processes would do again and again; true: there was something. */
  #nap(next: Event, stopMs: number): boolean {
    if (next.atMs <= this.#nowMs || this.busy || !this.#naps.mayBegin(this.#nowMs)) return false
    const napMs = this.#napMs()
    if (napMs === undefined) return false
    const punctualMs = Math.min(stopMs, this.#heap.firstPunctualMs())
    const endMs = this.#naps.endMs(this.#nowMs, napMs, punctualMs)
    if (endMs <= next.atMs) return false
    this.#heap.oversleep(endMs)
    this.#reachMoment({ atMs: endMs, round: 0 })
    return true
  }

  /** As long as everybody who waits for the world allows. */
  #napMs(): number | undefined {
    const naps = this.#waits.map(({ napMs }) => napMs)
    return naps.reduce((shortest, napMs) => shortest && napMs && Math.min(shortest, napMs), naps[0])
  }

  /** A promise holds up the world until it settles. */
  #run(event: Event): Promise<void> | undefined {
    this.#heap.pop()
    this.#reachMoment(event)
    if (event.kind === 'timer' && isPunctual(event)) this.#naps.stayAwake(event.atMs)
    const { hash, trace, crashed } = this.#options
    const node = event.owner?.node ?? ''
    hash.number(event.atMs)
    hash.word(event.label)
    hash.word(node)
    trace?.(`${event.atMs} ${node} ${event.label}`)
    const { run } = event
    event.run = undefined
    try {
      return run?.() ?? undefined
    } catch (error) {
      crashed(event.owner, error)
      return undefined
    }
  }

  async #finish({ owner }: Event, work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      this.#options.crashed(owner, error)
    }
  }

  /** How far time may move by itself. */
  #mayGoTo(): number {
    if (this.mode === 'real') return this.#realNowMs()
    if (this.mode === 'jumping' || this.#waits.length > 0) return Number.MAX_VALUE
    return this.#nowMs
  }

  #firstStopMs(): number {
    let firstMs = Number.POSITIVE_INFINITY
    for (const wait of this.#waits) firstMs = Math.min(firstMs, wait.untilMs)
    return firstMs
  }

  #reachMoment({ atMs, round }: Moment): void {
    this.#round = round
    this.#nowMs = Math.max(this.#nowMs, atMs)
  }

  #settleWhatHolds(): boolean {
    if (this.#waits.length === 0) return false
    return this.#end(endingByCondition)
  }

  #reach(stopMs: number): void {
    this.#reachMoment({ atMs: stopMs, round: 0 })
    this.#end((wait) => (wait.untilMs <= stopMs ? () => wait.settle('reached') : undefined))
  }

  /** Ends the waits that have an ending; true: there was one. */
  #end(endingOf: (wait: Wait) => Ending | undefined): boolean {
    let endings: Map<Wait, Ending> | undefined
    for (const wait of this.#waits) {
      const ending = endingOf(wait)
      if (ending === undefined) continue
      // Made where there is one: this is called for every event.
      endings ??= new Map()
      endings.set(wait, ending)
    }
    if (endings === undefined) return false
    this.#waits = this.#waits.filter((wait) => !endings.has(wait))
    for (const end of endings.values()) end()
    return true
  }

  #realNowMs(): number {
    return this.#options.realClock.monotonicMs() - this.#realStartMs
  }

  #sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.realClock.timer(delayMs, () => this.#stopSleeping?.())
      this.#stopSleeping = () => {
        this.#stopSleeping = undefined
        timer.cancel()
        resolve()
      }
    })
  }
}

/** A condition that throws fails its own wait: in the pump the error would stop the whole world without a word. */
function endingByCondition({ holds, settle, fail }: Wait): Ending | undefined {
  try {
    return holds?.() === true ? () => settle('holds') : undefined
  } catch (error) {
    return () => fail(error)
  }
}
