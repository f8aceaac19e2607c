// The door of the scenario `one broker`.
export { adminKinds } from './client-plans.ts'
export { drawPlan, type Plan } from './plan.ts'
export { runOneBroker } from './run.ts'
