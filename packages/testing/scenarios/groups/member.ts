// A place in a group and who takes it, one life after the other: it joins, works, leaves, joins again; it is killed and
// started anew, stopped and continued. Enters: its plan, and what the moves do to it. Leaves: a member at work, or none.
import { sleep } from '@minikafka/platform'
import { Dice } from '../stage/dice.ts'
import { Life } from './life.ts'
import type { GroupPlan, MemberPlan } from './member-plans.ts'
import type { Stage } from './stage.ts'

const AWAY_MS_MAX = 6000

export class Member {
  readonly group: GroupPlan
  readonly plan: MemberPlan
  readonly #stage: () => Stage
  readonly #dice: Dice
  #life: Life | undefined
  /** An administrator wants the group empty: until it is done nobody comes in. */
  #held: Promise<void> | undefined
  #isFrozen = false
  #lives = 0

  constructor(stage: () => Stage, group: GroupPlan, plan: MemberPlan, seed: number) {
    this.group = group
    this.plan = plan
    this.#stage = stage
    this.#dice = new Dice(seed, `member ${plan.name}`)
  }

  get life(): Life | undefined {
    return this.#life
  }

  get isOut(): boolean {
    return this.#life === undefined
  }

  get isFrozen(): boolean {
    return this.#isFrozen
  }

  /** Until all is finished; then it has left in order. */
  async live(): Promise<void> {
    const stage = this.#stage()
    await this.#away(this.plan.joinsAfterMs)
    for (;;) {
      await this.#held
      if (stage.isFinished()) return
      await this.#live(stage)
      if (!stage.isFinished()) await this.#away(this.#dice.below(AWAY_MS_MAX))
    }
  }

  async #live(stage: Stage): Promise<void> {
    const life = new Life(stage, this, ++this.#lives)
    this.#life = life
    stage.timeline.add(this.plan.name, 'joins')
    const going = stage.finished.then(() => life.leave())
    await Promise.race([life.work(), life.gone])
    this.#life = undefined
    void going
  }

  /** Once the faults are over it comes at once. */
  async #away(ms: number): Promise<void> {
    const { world, healed } = this.#stage()
    await Promise.race([sleep(world.clock, ms), healed])
  }

  // --- what is done to it --------------------------------------------------------------------

  leave(): void {
    this.#life?.leave()
  }

  /** Leaves, and does not come back before `until`. */
  stayOut(until: Promise<void>): void {
    this.#held = until
    this.leave()
  }

  crash(): void {
    const life = this.#life
    if (life === undefined) return
    this.thaw()
    life.die()
  }

  /** SIGSTOP. */
  freeze(): void {
    const { world } = this.#stage()
    if (this.#life === undefined) return
    this.#isFrozen = true
    world.pause(this.plan.name)
  }

  /** SIGCONT. */
  thaw(): void {
    if (!this.#isFrozen) return
    this.#isFrozen = false
    this.#life?.thawed()
    this.#stage().world.resume(this.plan.name)
  }
}
