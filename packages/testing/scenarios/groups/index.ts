// The door of the scenario `groups`.
export { drawPlan, MOVE_KINDS, type Plan } from './plan.ts'
export { runGroups } from './run.ts'
