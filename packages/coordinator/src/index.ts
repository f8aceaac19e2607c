// The front door of `coordinator`.
export type {
  GroupRequest,
  GroupResponse,
  GroupSettings,
  Peer,
  TopicFacts,
  TopicsView,
} from './groups/contract.ts'
export type { Decision, StateMachine } from './state-machine.ts'
