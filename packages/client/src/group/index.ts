// The door of the groups: being in one, and where it stands. Feeds and records are the consumer's.
export { publishRebalance } from './channels.ts'
export { keyOf, type Place } from './holding.ts'
export { type LeaveEpoch, type Lost, Member, type MemberSettings } from './member.ts'
export { Membership } from './membership.ts'
export {
  type Asker,
  type CommitPosition,
  fetchAllCommitted,
  fetchCommitted,
  outsider,
  sendCommit,
} from './offsets.ts'
