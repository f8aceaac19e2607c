// What an admin is asked and answers.
import type {
  Closable,
  Done,
  OffsetSpec,
  PartitionLag,
  Partitions,
  TopicPartition,
  Wait,
} from '../words.ts'
import type { GroupDescription, GroupSummary, ResetOffset, ResetOffsets } from './group-types.ts'

export type Config = Readonly<Record<string, string | number | boolean>>

/** All of it, or nothing. */
export type ConfigChanges = {
  readonly set?: Config | undefined
  /** Back to the default. */
  readonly delete?: readonly string[] | undefined
  /** Checks everything, changes nothing. */
  readonly validateOnly?: boolean | undefined
}

export type ConfigEntry = {
  readonly name: string
  readonly value: string | null
  /** topic, dynamic, file, environment, flag or default. */
  readonly origin: string
  readonly readOnly: boolean
  readonly about: string
}

export type PartitionDescription = {
  readonly partition: number
  /** -1: none. */
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

export type TopicDescription = {
  readonly name: string
  readonly topicId: string
  readonly internal: boolean
  readonly partitions: readonly PartitionDescription[]
  /** In name order; empty in the answers of createTopic (validateOnly) and listTopics. */
  readonly config: readonly ConfigEntry[]
}

export type BrokerDescription = {
  readonly nodeId: number
  readonly brokerEpoch: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
  readonly status: string
  readonly version: string
}

export type ClusterDescription = {
  readonly clusterId: string
  readonly controllerId: number
  readonly topicCount: number
  readonly partitionCount: number
  readonly brokers: readonly BrokerDescription[]
}

/** `ill`: something does not work, or is one failure from it; `warning`: soon. */
export type HealthCheck = {
  readonly name: 'brokers' | 'controller' | 'leaders' | 'in sync' | 'logs' | 'disk space'
  readonly state: 'ok' | 'warning' | 'ill'
  readonly about: string
}

export type ClusterHealth = { readonly healthy: boolean; readonly checks: readonly HealthCheck[] }

/** How the process of a broker is, at the moment it answers. */
export type BrokerProcess = {
  readonly brokerId: number
  readonly version: string
  readonly nodeVersion: string
  readonly platform: string
  /** Its wall clock, milliseconds since 1970. */
  readonly timeMs: number
  readonly uptimeMs: number
  readonly rssBytes: number
  readonly heapUsedBytes: number
  /** File descriptors; undefined where its system does not tell. */
  readonly openFiles: number | undefined
  readonly openFilesMax: number | undefined
}

export type LogDirDescription = {
  readonly brokerId: number
  readonly path: string
  /** What keeps it from working; absent: nothing. */
  readonly error?: string
  readonly totalBytes: number
  readonly usableBytes: number
  readonly topics: readonly {
    readonly name: string
    readonly topicId: string
    readonly partitions: readonly {
      readonly partition: number
      readonly sizeBytes: number
      readonly segmentCount: number
      readonly logStartOffset: number
      readonly logEndOffset: number
    }[]
  }[]
}

export type CreateTopicOptions = {
  readonly partitions?: number | undefined
  readonly replicas?: number | undefined
  readonly config?: Config | undefined
  /** An existing topic of that name is described, whatever its settings. */
  readonly ifNotExists?: boolean | undefined
  /** Checks everything, creates nothing. */
  readonly validateOnly?: boolean | undefined
}

/** Users and transactions join with their APIs. */
export interface Admin extends Closable {
  /** Resolves when the first send needs no retry. */
  createTopic(name: string, options?: CreateTopicOptions, wait?: Wait): Promise<TopicDescription>
  listTopics(
    options?: { readonly internal?: boolean | undefined },
    wait?: Wait,
  ): Promise<TopicDescription[]>
  describeTopic(name: string, wait?: Wait): Promise<TopicDescription>
  alterTopic(name: string, change: ConfigChanges, wait?: Wait): Done
  /** `total`: how many there shall be in all. */
  addPartitions(
    name: string,
    total: number,
    options?: { readonly validateOnly?: boolean | undefined },
    wait?: Wait,
  ): Done
  deleteTopic(
    name: string,
    options?: { readonly ifExists?: boolean | undefined },
    wait?: Wait,
  ): Done
  /** Deletes the records below an offset, by partition; -1: up to the high watermark. */
  deleteRecords(name: string, before: Readonly<Record<number, number>>, wait?: Wait): Done
  /** An offset of each partition; a time that nothing reaches: the end. */
  offsets(
    name: string,
    at: OffsetSpec,
    wait?: Wait,
  ): Promise<(TopicPartition & { readonly offset: number })[]>
  /** Of all brokers, in name order. */
  listGroups(wait?: Wait): Promise<GroupSummary[]>
  /** Errors: GROUP_ID_NOT_FOUND, naming the nearest. */
  describeGroup(group: string, wait?: Wait): Promise<GroupDescription>
  /** Also of a group without members. Where a member has committed nothing yet, all of the partition is unread. */
  lag(group: string, wait?: Wait): Promise<PartitionLag[]>
  /** Sends a group without members elsewhere. Errors: NON_EMPTY_GROUP; OFFSET_OUT_OF_RANGE. */
  resetOffsets(group: string, to: ResetOffsets, wait?: Wait): Promise<ResetOffset[]>
  /** Errors: GROUP_SUBSCRIBED_TO_TOPIC: a member reads it. */
  deleteOffsets(group: string, what: Partitions, wait?: Wait): Done
  /** With all its offsets. Errors: NON_EMPTY_GROUP. */
  deleteGroup(group: string, wait?: Wait): Done
  /** At once. One that is alive comes back with its next heartbeat. */
  removeMember(group: string, memberId: string, wait?: Wait): Done
  cluster(wait?: Wait): Promise<ClusterDescription>
  /** Rejects where no broker answers; everything else that is ill is the answer. */
  health(wait?: Wait): Promise<ClusterHealth>
  /** Errors: INVALID_OPTION where there is no such broker. */
  describeBroker(brokerId: number, wait?: Wait): Promise<BrokerProcess>
  logDirs(brokerId?: number, wait?: Wait): Promise<LogDirDescription[]>
  /** Default: the controller. */
  brokerConfig(brokerId?: number, wait?: Wait): Promise<ConfigEntry[]>
  /** Without a broker id: for the whole cluster. */
  alterBrokerConfig(change: ConfigChanges, brokerId?: number, wait?: Wait): Done
}
