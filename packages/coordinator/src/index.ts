// The front door of `coordinator`.
export type { Decision, StateMachine } from './state-machine.ts'
