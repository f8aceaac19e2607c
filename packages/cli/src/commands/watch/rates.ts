// What changed between two looks at a cluster. Enters: two looks. Leaves: rows with rates, the busiest first. Pure.
import type { Finding } from '../health/finding.ts'

export type TopicLook = {
  readonly topic: string
  readonly partitions: number
  /** Sums over partitions, each counted once, as its leader has it. */
  readonly endOffsets: number
  readonly records: number
  readonly sizeBytes: number
}

export type GroupLook = {
  readonly group: string
  readonly state: string
  /** Sum of committed offsets, by partition that has one. */
  readonly committed: ReadonlyMap<string, number>
  readonly lag: number
  readonly lagMs: number | undefined
}

export type Look = {
  readonly atMs: number
  readonly topics: readonly TopicLook[]
  readonly groups: readonly GroupLook[]
  /** What doctor says of each directory. */
  readonly disks: readonly Finding[]
}

export type TopicRate = TopicLook & {
  readonly recordsPerSecond: number
  /** Negative: retention deleted more than was written. */
  readonly bytesPerSecond: number
}

export type GroupRate = Omit<GroupLook, 'committed'> & { readonly recordsPerSecond: number }

export function topicRates(before: Look, now: Look): TopicRate[] {
  const old = new Map(before.topics.map((topic) => [topic.topic, topic]))
  const seconds = secondsBetween(before, now)
  return now.topics
    .map((topic) => {
      const was = old.get(topic.topic)
      return {
        ...topic,
        // One that was made anew under its old name begins again.
        recordsPerSecond: Math.max(0, topic.endOffsets - (was?.endOffsets ?? 0)) / seconds,
        bytesPerSecond: (topic.sizeBytes - (was?.sizeBytes ?? 0)) / seconds,
      }
    })
    .sort((a, b) => b.recordsPerSecond - a.recordsPerSecond || (a.topic < b.topic ? -1 : 1))
}

export function groupRates(before: Look, now: Look): GroupRate[] {
  const old = new Map(before.groups.map((group) => [group.group, group]))
  const seconds = secondsBetween(before, now)
  return now.groups
    .map(({ committed, ...group }) => {
      let records = 0
      for (const [partition, offset] of committed) {
        // Where nothing was committed before, it is not known how much of it is new.
        const was = old.get(group.group)?.committed.get(partition) ?? offset
        records += Math.max(0, offset - was)
      }
      return { ...group, recordsPerSecond: records / seconds }
    })
    .sort((a, b) => b.recordsPerSecond - a.recordsPerSecond || (a.group < b.group ? -1 : 1))
}

function secondsBetween(before: Look, now: Look): number {
  return Math.max(1, now.atMs - before.atMs) / 1000
}
