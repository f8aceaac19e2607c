// One life of a member: a process with a client and a consumer of the group, from its join to its end.
// Enters: how it reads. Leaves: news for the ledger of what it was given, has done and let go.
import { type Client, type Consumer, isMinikafkaError, type Partitions } from '@minikafka/client'
import { type Env, sleep } from '@minikafka/platform'
import { Dice } from '../stage/dice.ts'
import { openClient } from '../stage/open-client.ts'
import { Violation } from '../stage/violation.ts'
import { Handling } from './handling.ts'
import type { Member } from './member.ts'
import type { Progress } from './progress.ts'
import { modes } from './reading.ts'
import type { Stage } from './stage.ts'
import type { End } from './tenure.ts'

const RETRY_MS = 100
/** Reading that failed begins anew so often; then the member leaves, and another life begins. */
const REENTRIES_MAX = 5
/** Who was stopped looks around when it goes on. */
const WAKES_MS = 100
/** No handler takes as long as this, nor all that is polled at once. */
const LONG_MS = 120_000
const SESSION = 'group.consumer.session.timeout.ms'

export class Life {
  readonly member: string
  readonly consumer: Consumer<string>
  readonly env: Env
  readonly gone: Promise<void>
  readonly #stage: Stage
  readonly #member: Member
  readonly #dice: Dice
  readonly #client: Client
  readonly #handling: Handling
  readonly #had = new Set<Progress>()
  #die: () => void = () => {}
  #isLeaving = false
  #isDead = false
  #isRemoved = false
  #failedMs = Number.NEGATIVE_INFINITY
  #thawedMs = Number.NEGATIVE_INFINITY
  #closing: { readonly beganMs: number; readonly done: Promise<void> } | undefined

  constructor(stage: Stage, member: Member, number: number) {
    const { plan } = member
    this.#stage = stage
    this.#member = member
    this.member = `${plan.name}/${number}`
    this.#dice = new Dice(stage.plan.seed, this.member)
    this.env = stage.world.env(plan.name)
    this.#client = openClient(stage, plan.name, plan.requestTimeoutMs)
    this.consumer = this.#open()
    this.#handling = new Handling(stage, this, member, this.#dice)
    this.gone = new Promise((resolve) => {
      this.#die = resolve
    })
  }

  // --- for the ledger ------------------------------------------------------------------------

  get failedMs(): number {
    const { closeTimeoutMs } = this.#member.plan
    const { beganMs = Number.POSITIVE_INFINITY } = this.#closing ?? {}
    const isHurried = this.#stage.timeline.nowMs >= beganMs + closeTimeoutMs * 0.9
    return isHurried ? Number.POSITIVE_INFINITY : this.#failedMs
  }

  get mayLeaveUnfinished(): boolean {
    const { letsGo, throwShare, closeTimeoutMs, options } = this.#member.plan
    const hasTime = (options.rebalanceTimeoutMs ?? 0) >= LONG_MS && closeTimeoutMs >= LONG_MS / 2
    return letsGo || throwShare > 0 || !hasTime
  }

  get isStale(): boolean {
    const { timeline, plan } = this.#stage
    // It has little time to give up, and the word of it may be lost: then it is thrown out within its session.
    const { rebalanceTimeoutMs = Number.POSITIVE_INFINITY } = this.#member.plan.options
    if (rebalanceTimeoutMs <= Number(plan.settings[SESSION])) return true
    const isAwake = timeline.nowMs >= this.#thawedMs + WAKES_MS
    return this.#member.isFrozen || this.#isRemoved || !isAwake
  }

  get isEnding(): boolean {
    return this.#isLeaving || this.#isDead
  }

  get isDead(): boolean {
    return this.#isDead
  }

  progressAt(topic: string, partition: number): Progress {
    return this.#stage.ledger.progressOf(this.#member.group.name, topic, partition)
  }

  // --- what is done to it --------------------------------------------------------------------

  leave(): void {
    if (this.#isLeaving) return
    this.#isLeaving = true
    this.#stage.timeline.add(this.#member.plan.name, 'leaves')
    if (this.#member.plan.closesAtOnce) this.#close()
    else this.consumer.stop()
  }

  /** Its code cannot be ended from outside: it comes to its end by itself, and nothing that it does counts. */
  die(): void {
    this.#isDead = true
    this.consumer.stop()
    this.#stage.world.kill(this.#member.plan.name)
    for (const progress of this.#had) progress.ended(this, 'crashed')
    this.#die()
  }

  removed(): void {
    this.#isRemoved = true
  }

  thawed(): void {
    this.#thawedMs = this.#stage.timeline.nowMs
  }

  // --- its work ------------------------------------------------------------------------------

  /** Resolves when it has left in order. */
  async work(): Promise<void> {
    const { plan } = this.#member
    const committing = plan.options.commit === 'manual' ? this.#commitNowAndThen() : undefined
    for (let failures = 0; failures <= REENTRIES_MAX && !this.isEnding; ) {
      try {
        await modes[plan.mode](this.#handling)
      } catch (error) {
        if (this.#isDead) return
        this.#failed(error)
        failures++
        await sleep(this.env.clock, RETRY_MS)
      }
    }
    if (this.#isDead) return
    this.#isLeaving = true
    await this.#handling.settle()
    this.#close()
    await this.#closing?.done
    await committing
    await this.#client.close()
    for (const progress of this.#had) progress.gone(this)
  }

  #failed(error: unknown): void {
    const { timeline } = this.#stage
    if (error instanceof Violation || !isMinikafkaError(error)) throw error
    // No record is ever deleted: wherever a member begins, there is one, or will be.
    if (error.name === 'OFFSET_OUT_OF_RANGE') throw new Violation('start', error.message)
    timeline.add(this.#member.plan.name, `${error.name}: ${error.message.slice(0, 120)}`)
    timeline.count(`member error ${error.name}`)
    for (const progress of this.#had) progress.reenters(this)
  }

  #close(): void {
    if (this.#closing !== undefined) return
    const { closeTimeoutMs } = this.#member.plan
    const done = this.consumer.close({ timeoutMs: closeTimeoutMs })
    this.#closing = { beganMs: this.#stage.timeline.nowMs, done }
  }

  async #commitNowAndThen(): Promise<void> {
    const { commitIntervalMs = 1000 } = this.#member.plan.options
    while (!this.isEnding) {
      await sleep(this.env.clock, commitIntervalMs)
      if (!this.isEnding) await this.commit(() => this.consumer.commit())
    }
  }

  /** By hand; that it failed explains that others do it once more. */
  async commit(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!isMinikafkaError(error)) throw error
      this.#commitFailed(error.name)
    }
  }

  #commitFailed(name: string): void {
    this.#failedMs = this.#stage.timeline.nowMs
    this.#stage.timeline.add(this.#member.plan.name, `told of ${name}`)
  }

  // --- the consumer --------------------------------------------------------------------------

  #open(): Consumer<string> {
    const { plan, group } = this.#member
    const { topics, pattern } = group
    const what = topics === undefined ? { pattern: pattern ?? '' } : { topics }
    const { throwShare, stops } = plan
    const onError = throwShare > 0 && !stops ? ({ retries: 100, then: 'stop' } as const) : 'stop'
    const consumer = this.#client.consumer<string>({
      ...({ ...what, group: group.name, start: 'earliest' } as {
        group: string
        topics: string[]
        start: 'earliest'
      }),
      ...plan.options,
      onError,
      onAssigned: async (partitions) => {
        this.#given(partitions)
        if (plan.hookMs > 0) await sleep(this.env.clock, plan.hookMs)
      },
      onRevoked: async (partitions, { commit }) => {
        if (plan.options.commit === 'manual') await this.commit(() => commit())
        this.#ended(partitions, 'released')
      },
    })
    consumer.on('revoked', (partitions) => {
      for (const { topic, partition } of partitions) this.progressAt(topic, partition).gone(this)
    })
    consumer.on('lost', (partitions) => {
      this.#isRemoved = false
      this.#ended(partitions, 'lost')
    })
    consumer.on('error', (error) => this.#commitFailed(error.name))
    consumer.on('stalled', () => this.#stage.timeline.count('stalled'))
    return consumer
  }

  #given(partitions: Partitions): void {
    if (this.#isDead) return
    this.#tell('is given', partitions)
    this.#stage.guard(() => {
      for (const { topic, partition } of partitions) {
        const progress = this.progressAt(topic, partition)
        this.#had.add(progress)
        progress.given(this)
      }
    })
  }

  #ended(partitions: Partitions, how: End): void {
    if (this.#isDead) return
    this.#tell(how === 'lost' ? 'loses' : 'gives up', partitions)
    this.#stage.timeline.count(`partitions ${how}`, partitions.length)
    if (how === 'lost' && this.#stage.plan.isCalm)
      this.#stage.guard(() => {
        throw new Violation('fenced', `${this.member} was thrown out, and nothing is wrong`)
      })
    for (const { topic, partition } of partitions)
      this.progressAt(topic, partition).ended(this, how)
  }

  #tell(what: string, partitions: Partitions): void {
    const names = partitions.map(({ topic, partition }) => `${topic}-${partition}`)
    this.#stage.timeline.add(this.#member.plan.name, `${what} ${names.join(' ')}`)
  }
}
