// `range`: each topic is cut into as many runs as it has subscribers. Equal topics are cut alike, so that equal numbers of
// two topics meet at one member; nothing is sticky. Source: Kafka RangeAssignor; REPLICATION 2.13.4.
import {
  type AssigningMember,
  type Assignment,
  keysOfTopic,
  subscribersOf,
  topicsOf,
} from './assignor.ts'

export function range(members: readonly AssigningMember[]): Assignment {
  const assignment: Assignment = new Map(members.map(({ memberId }) => [memberId, new Set()]))
  const subscribers = subscribersOf(members)
  for (const topic of topicsOf(members)) {
    const indexes = subscribers.get(topic.topicId) ?? []
    const keys = keysOfTopic(topic)
    const shortCount = Math.floor(keys.length / indexes.length)
    const longerRuns = keys.length % indexes.length
    let from = 0
    for (const [run, index] of indexes.entries()) {
      const to = from + shortCount + (run < longerRuns ? 1 : 0)
      const held = assignment.get((members[index] as AssigningMember).memberId)
      for (const key of keys.slice(from, to)) held?.add(key)
      from = to
    }
  }
  return assignment
}
