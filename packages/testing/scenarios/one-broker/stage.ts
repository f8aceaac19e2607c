// What all players of a run share. One value, made by `run.ts`.
import type { Stage as AnyStage } from '../stage/stage.ts'
import type { Ledger } from './ledger.ts'
import type { Plan } from './plan.ts'

export type Stage = AnyStage & {
  readonly plan: Plan
  readonly ledger: Ledger
}
