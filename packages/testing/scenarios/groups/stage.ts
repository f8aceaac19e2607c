// What all players of a run share. One value, made by `run.ts`.
import type { Stage as AnyStage } from '../stage/stage.ts'
import type { Violation } from '../stage/violation.ts'
import type { Ledger } from './ledger.ts'
import type { Member } from './member.ts'
import type { Observer } from './observer.ts'
import type { Plan } from './plan.ts'

export type Stage = AnyStage & {
  readonly plan: Plan
  readonly ledger: Ledger
  readonly observer: Observer
  readonly members: readonly Member[]
  /** Topics that are there, in the order of their making. */
  readonly topics: string[]
  /** Resolves when all that was sent is worked on and committed: the members may go home. */
  readonly finished: Promise<void>
  readonly isFinished: () => boolean
  /** Ends the run: an oracle saw something where nobody waits for it. */
  accuse(violation: Violation): void
  /** Accuses of what an oracle throws, wherever it is called, and throws it on. */
  guard<T>(oracle: () => T): T
}
