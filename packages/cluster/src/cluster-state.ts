// The cluster as this broker knows it: an image in memory, fed by one range and one watch of the store.
import type { Address, Env } from '@minikafka/platform'
import type { MetaStore } from './meta-store.ts'
import type { PartitionValue } from './values.ts'

/** A live topic, or one that is being deleted. */
export type Topic = {
  readonly topicId: string
  readonly name: string
  /** How many it has. */
  readonly partitions: number
  readonly replicationFactor: number
  readonly minIsr: number
  /** Its own settings, as text. */
  readonly config: ReadonlyMap<string, string>
  readonly internal: boolean
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
  readonly status: 'fenced' | 'active' | 'draining'
}

/** One step of the image: one revision, or several that arrived together. */
export type ClusterChange = {
  readonly revision: number
  /** `before` absent: it is new. `after` absent: it is no longer live; `deleted`: its directories may go. */
  readonly topics: readonly TopicChange[]
  /** Partitions of live topics. A topic that comes or goes brings or takes all of its partitions. */
  readonly partitions: readonly PartitionChange[]
  /** Ids of brokers whose registration or status changed. */
  readonly brokers: readonly number[]
  readonly controllerChanged: boolean
  /** `cfg/cluster` or a `cfg/broker/<id>` changed. */
  readonly configChanged: boolean
}
export type TopicChange = {
  readonly topicId: string
  readonly name: string
  readonly before?: Topic
  readonly after?: Topic
  readonly deleted: boolean
}
export type PartitionChange = {
  readonly topicId: string
  readonly partition: number
  readonly before?: Partition
  readonly after?: Partition
}

export class ClusterState {
  static open(_env: Env, _store: MetaStore): Promise<ClusterState> {
    throw new Error('unbuilt')
  }
  /** Everything up to this revision is in the image. */
  get revision(): number {
    throw new Error('unbuilt')
  }
  /** '' before bootstrap. */
  get clusterId(): string {
    throw new Error('unbuilt')
  }
  /** -1: none. */
  get controllerId(): number {
    throw new Error('unbuilt')
  }
  get topicCount(): number {
    throw new Error('unbuilt')
  }
  /** Of live topics. */
  get partitionCount(): number {
    throw new Error('unbuilt')
  }
  topicByName(_name: string): Topic | undefined {
    throw new Error('unbuilt')
  }
  topicById(_topicId: string): Topic | undefined {
    throw new Error('unbuilt')
  }
  /** Live topics in name order. */
  topics(): readonly Topic[] {
    throw new Error('unbuilt')
  }
  /** Topics that are being deleted: their directories here must go, then Controller.replicasRemoved. */
  deletingTopics(): readonly Topic[] {
    throw new Error('unbuilt')
  }
  partition(_topicId: string, _partition: number): Partition | undefined {
    throw new Error('unbuilt')
  }
  /** By number. */
  partitionsOf(_topicId: string): readonly Partition[] {
    throw new Error('unbuilt')
  }
  /** Registered brokers by id. */
  brokers(): readonly Broker[] {
    throw new Error('unbuilt')
  }
  broker(_brokerId: number): Broker | undefined {
    throw new Error('unbuilt')
  }
  /** Settings of `cfg/broker/<id>`, or of `cfg/cluster`. */
  brokerConfig(_brokerId: number | 'cluster'): ReadonlyMap<string, string> {
    throw new Error('unbuilt')
  }
  /** Called after every step, in order, synchronously. Returns the function that stops it. */
  onChange(_listener: (change: ClusterChange) => void): () => void {
    throw new Error('unbuilt')
  }
  /** Resolves when the image holds `revision`. */
  reached(_revision: number): Promise<void> {
    throw new Error('unbuilt')
  }
  /** Ends the watch; later changes of the store are not seen. */
  close(): Promise<void> {
    throw new Error('unbuilt')
  }
}
