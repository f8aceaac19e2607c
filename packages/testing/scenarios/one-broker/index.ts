// The door of the scenario `one broker`.
export { adminKinds } from './client-plans.ts'
export { ALL_FAULT_KINDS, drawPlan, type Less, type Plan } from './plan.ts'
export { type Outcome, type RunOptions, runOneBroker } from './run.ts'
