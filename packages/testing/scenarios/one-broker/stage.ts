// What all players of a run share. One value, made by `run.ts`.
import type { World } from '../../src/world/index.ts'
import type { Daemon } from './daemon.ts'
import type { Ledger } from './ledger.ts'
import type { Plan } from './plan.ts'
import type { Timeline } from './timeline.ts'

export type Stage = {
  readonly world: World
  readonly plan: Plan
  readonly ledger: Ledger
  readonly timeline: Timeline
  readonly daemon: Daemon
  /** The faults are over: nothing new is begun, what is open is brought to its end. */
  readonly isHealing: () => boolean
  /** Called whenever an administrator begins something. */
  readonly onAdmin: Set<() => void>
  /** Resolves when the faults are over. */
  readonly healed: Promise<void>
  /** From when on nothing waits for a fault any more. */
  readonly calm: { fromMs: number }
}
