// How a member works on records: some handlers are quick, some slow, some throw, some let go when they are told to.
// Enters: records. Leaves: in the ledger that they were handed out, and that they are done.
import type { AnyRecord, ConsumerRecord } from '@minikafka/client'
import { type Env, sleep } from '@minikafka/platform'
import type { Dice } from '../stage/dice.ts'
import { Violation } from '../stage/violation.ts'
import type { Life } from './life.ts'
import type { Member } from './member.ts'
import type { MemberPlan } from './member-plans.ts'
import { watchOwners } from './owners.ts'
import type { Stage } from './stage.ts'
import type { Tenure } from './tenure.ts'

const SLOW_MS = 8000

export class Handling {
  readonly life: Life
  readonly plan: MemberPlan
  readonly #stage: Stage
  readonly #member: Member
  readonly #dice: Dice
  readonly #env: Env
  /** Nothing overtakes within a partition. */
  readonly #inOrder: boolean

  constructor(stage: Stage, life: Life, member: Member, dice: Dice) {
    this.life = life
    this.plan = member.plan
    this.#stage = stage
    this.#member = member
    this.#dice = dice
    this.#env = life.env
    const { mode, order } = member.plan
    this.#inOrder = mode !== 'run' || order === 'partition'
  }

  /** Errors: what a handler throws. */
  async handle(record: ConsumerRecord<string>, attempt = 1): Promise<void> {
    if (this.life.isDead) throw new Error('nobody works here any more')
    const tenure = this.#handed(record, attempt)
    const { throwShare, mode, letsGo } = this.plan
    if (mode === 'run' && !this.#stage.isHealing() && this.#dice.chance(throwShare))
      throw new Error('this handler had a bad day')
    const ms = this.#durationMs()
    const isLetGo = letsGo && mode === 'run'
    const signal = isLetGo ? record.signal : undefined
    if (ms > 0) await Promise.race([sleep(this.#env.clock, ms, signal), this.life.gone])
    if (this.life.isDead) throw new Error('nobody works here any more')
    const { topic, partition, offset } = record
    this.life.progressAt(topic, partition).did(tenure, offset)
    this.#stage.timeline.count('processed')
  }

  /** After the last one of a loop: to ask once more finishes what was polled. */
  async settle(): Promise<void> {
    if (this.plan.mode !== 'poll') return
    this.life.consumer.stop()
    await this.life.consumer.poll({ maxWaitMs: 1 }).catch(() => undefined)
  }

  #again(why: string, place: string): void {
    this.#stage.timeline.count(`duplicate ${why}`)
    if (!this.#stage.plan.isCalm) return
    const what = `${this.life.member} is handed ${place}, which was done before (${why})`
    throw new Violation('twice', `${what}, and nothing goes wrong here`)
  }

  /** Of each record: whether its partition is still the one that it was polled from. */
  holdersOf(records: readonly AnyRecord[]): (() => boolean)[] {
    return records.map(({ topic, partition }) => {
      const progress = this.life.progressAt(topic, partition)
      const tenure = progress.tenureOf(this.life)
      return () => tenure?.end === undefined && progress.tenureOf(this.life) === tenure
    })
  }

  #durationMs(): number {
    // What was left lying is done soon.
    if (this.#stage.isHealing()) return this.#dice.below(2)
    if (this.#dice.chance(this.plan.slowShare)) return this.#dice.scale(1000, SLOW_MS)
    return this.plan.handlerMs === 0 ? 0 : this.#dice.below(this.plan.handlerMs * 2)
  }

  /** A record that is tried again was handed out before. */
  #handed(record: AnyRecord, attempt: number): Tenure {
    const { topic, partition, offset, value, signal } = record
    const { ledger } = this.#stage
    return this.#stage.guard(() => {
      ledger.read({ topic, partition, offset }, String(value))
      const progress = this.life.progressAt(topic, partition)
      const known = attempt > 1 ? progress.tenureOf(this.life) : undefined
      if (known !== undefined) return known
      watchOwners(this.#stage, this.#member, { topic, partition })
      const { tenure, why } = progress.hand(this.life, offset, this.#inOrder)
      tenure.signal = signal
      if (why !== undefined) this.#again(why, `${topic}-${partition} @ ${offset}`)
      return tenure
    })
  }
}
