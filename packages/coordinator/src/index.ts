// The front door of `coordinator`.
export type {
  GroupRequest,
  GroupResponse,
  GroupSettings,
  Peer,
  TopicFacts,
  TopicsView,
} from './groups/contract.ts'
export { Groups } from './groups/groups.ts'
export { GroupRecordReader } from './groups/position-reader.ts'
export {
  decodeGroupRecord,
  type EncodedGroupRecord,
  encodeGroupRecord,
} from './groups/record-codec.ts'
export type { GroupRecord } from './groups/records.ts'
export type { Decision, StateMachine } from './state-machine.ts'
