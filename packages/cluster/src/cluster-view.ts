// What the image of the cluster shows: topics, partitions, brokers, and how one step changed them.
import type { Address } from '@minikafka/platform'
import type { PartitionValue, TopicValue } from './values.ts'

export type Topic = TopicValue & {
  readonly topicId: string
  /** Kept by the brokers for themselves. */
  readonly internal: boolean
  /** Modification revision of its key. */
  readonly modRev: number
}

export type Partition = PartitionValue & {
  readonly topicId: string
  readonly partition: number
  /** Modification revision of its key. */
  readonly partitionEpoch: number
}

export type Broker = {
  readonly brokerId: number
  readonly brokerEpoch: number
  readonly incarnation: string
  readonly dirIds: readonly string[]
  /** By name of the listener; host '' or port 0: as the client dialled. */
  readonly endpoints: ReadonlyMap<string, Address>
  readonly rack: string | undefined
  readonly version: string
  /** Active: it leads and follows. Fenced: registered, not yet ready. */
  readonly status: 'fenced' | 'active' | 'draining'
}

/** One step of the image: one revision, or what a missed stretch of the history did in sum. */
export type ClusterChange = {
  readonly revision: number
  readonly topics: readonly TopicChange[]
  /** Partitions of live topics: a topic that comes or goes brings or takes all of its partitions. */
  readonly partitions: readonly PartitionChange[]
  /** Ids of brokers whose registration or status changed. */
  readonly brokers: readonly number[]
  readonly controllerChanged: boolean
  /** `cfg/cluster` or a `cfg/broker/<id>` changed. */
  readonly configChanged: boolean
}

/** `before` absent: it became live. `after` absent: it is live no longer. */
export type TopicChange = {
  readonly topicId: string
  readonly name: string
  readonly before: Topic | undefined
  readonly after: Topic | undefined
  /** Its directories may go. False where it vanished unexplained: they are kept aside (REPLICATION 2.9.4). */
  readonly deleted: boolean
}

export type PartitionChange = {
  readonly topicId: string
  readonly partition: number
  readonly before: Partition | undefined
  readonly after: Partition | undefined
}
