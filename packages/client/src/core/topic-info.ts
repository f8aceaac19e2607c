// What the client knows of topics and brokers: the answer of Metadata, checked and indexed.
import type { Apis, ResponseOf } from '@minikafka/protocol'

export type PartitionInfo = {
  readonly partition: number
  /** Broker id; -1 = there is none at the moment. */
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

export type TopicInfo = {
  readonly name: string
  readonly topicId: string
  readonly isInternal: boolean
  readonly maxMessageBytes: number
  /** Invariant: `partitions[n].partition === n`. */
  readonly partitions: readonly PartitionInfo[]
  /** Partitions that have a leader, ascending. */
  readonly available: readonly number[]
}

export type BrokerInfo = {
  readonly nodeId: number
  /** The dialled host where the broker names none (CLIENT 3, behaviour 33). */
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export type MetadataAnswer = ResponseOf<Apis['metadata']>
type TopicAnswer = MetadataAnswer['topics'][number]

/**
 * The topic as `answer` describes it. Leaders never go back to an older epoch of the same topic: brokers learn of
 * elections at different times (KIP-320).
 */
export function topicInfoOf(answer: TopicAnswer, known: TopicInfo | undefined): TopicInfo {
  const same = known !== undefined && known.topicId === answer.topicId ? known : undefined
  const partitions: PartitionInfo[] = []
  for (const item of [...answer.partitions].sort((a, b) => a.partition - b.partition)) {
    const { partition, leaderId, leaderEpoch, replicas, isr } = item
    if (partition !== partitions.length) break
    const before = same?.partitions[partition]
    partitions.push(
      before !== undefined && before.leaderEpoch > leaderEpoch
        ? before
        : { partition, leaderId, leaderEpoch, replicas, isr },
    )
  }
  return withPartitions(
    {
      name: answer.name ?? '',
      topicId: answer.topicId ?? '',
      isInternal: answer.isInternal,
      maxMessageBytes: answer.maxMessageBytes,
    },
    partitions,
  )
}

/** The same topic, one partition of it led by another broker. */
export function withLeader(
  info: TopicInfo,
  partition: number,
  leader: { leaderId: number; leaderEpoch: number },
): TopicInfo {
  return withPartitions(
    info,
    info.partitions.map((item) => (item.partition === partition ? { ...item, ...leader } : item)),
  )
}

function withPartitions(
  head: Pick<TopicInfo, 'name' | 'topicId' | 'isInternal' | 'maxMessageBytes'>,
  partitions: readonly PartitionInfo[],
): TopicInfo {
  const { name, topicId, isInternal, maxMessageBytes } = head
  const available = partitions
    .filter(({ leaderId }) => leaderId >= 0)
    .map(({ partition }) => partition)
  return { name, topicId, isInternal, maxMessageBytes, partitions, available }
}

/** True where nothing that a user of `next` relies on differs from `before`. */
export function sameTopic(before: TopicInfo | undefined, next: TopicInfo): boolean {
  if (before === undefined || before.topicId !== next.topicId) return false
  if (before.maxMessageBytes !== next.maxMessageBytes) return false
  if (before.partitions.length !== next.partitions.length) return false
  return before.partitions.every((item, partition) => {
    const other = next.partitions[partition]
    return other?.leaderId === item.leaderId && other.leaderEpoch === item.leaderEpoch
  })
}
