// Where partitions stand at one moment, for those who watch from outside. Enters: partitions. Leaves: plain numbers.
import type { Partition } from './partition.ts'

export type PartitionFacts = {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly leaderEpoch: number
  readonly logStartOffset: number
  readonly lastStableOffset: number
  readonly highWatermark: number
  readonly logEndOffset: number
  /** Below it compaction may have left gaps. */
  readonly compactedBelow: number
  readonly durableEndOffset: number
  /** The epoch cache, oldest first. */
  readonly epochs: readonly { readonly epoch: number; readonly startOffset: number }[]
  readonly sizeBytes: number
  readonly segmentCount: number
  /** Why it does not serve; undefined: it does. */
  readonly offline: string | undefined
}

/** Without a log, which could not be opened, all offsets are -1. */
export function factsOf(partitions: Iterable<Partition>): PartitionFacts[] {
  const facts: PartitionFacts[] = []
  for (const partition of partitions) {
    const { topic, topicId, number, log, leadership, offline } = partition
    facts.push({
      topic,
      topicId,
      partition: number,
      leaderEpoch: leadership.leaderEpoch,
      logStartOffset: log?.logStartOffset ?? -1,
      lastStableOffset: log ? partition.lastStableOffset : -1,
      highWatermark: log ? partition.highWatermark : -1,
      logEndOffset: log?.logEndOffset ?? -1,
      compactedBelow: log?.compactedBelow ?? 0,
      durableEndOffset: log?.durableEndOffset ?? -1,
      epochs: log?.epochs.entries ?? [],
      sizeBytes: log?.sizeBytes ?? 0,
      segmentCount: log?.segmentCount ?? 0,
      offline: offline?.message,
    })
  }
  return facts
}
