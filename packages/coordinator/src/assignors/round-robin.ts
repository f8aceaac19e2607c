// `roundrobin`: all partitions in order, dealt around the ring of members, past those that do not subscribe.
// Source: Kafka RoundRobinAssignor; REPLICATION 2.13.4.
import { type AssigningMember, type Assignment, keysOfTopic, topicsOf } from './assignor.ts'

export function roundRobin(members: readonly AssigningMember[]): Assignment {
  const assignment: Assignment = new Map(members.map(({ memberId }) => [memberId, new Set()]))
  const subscribed = members.map(({ topics }) => new Set(topics.map(({ topicId }) => topicId)))
  let next = 0
  for (const topic of topicsOf(members)) {
    for (const key of keysOfTopic(topic)) {
      // Somebody subscribes, or the topic would not be here.
      while (!subscribed[next % members.length]?.has(topic.topicId)) next++
      const member = members[next % members.length] as AssigningMember
      assignment.get(member.memberId)?.add(key)
      next++
    }
  }
  return assignment
}
