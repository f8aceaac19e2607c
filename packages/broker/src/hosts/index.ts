// The door of the hosts' room.
export { type GroupHostFacts, GroupHosts } from './group-hosts.ts'
export { OffsetsTopic } from './offsets-topic.ts'
