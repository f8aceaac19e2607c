// What the pages are about: rooms of a running broker, looked at when somebody asks. Enters: types alone.
import type { ClusterState } from '@minikafka/cluster'
import type { Values } from '../config/index.ts'
import type { GroupHosts } from '../hosts/index.ts'
import type { DataDirectory } from '../log/index.ts'
import type { Partitions } from '../partition/index.ts'
import type { RequestCounts } from './request-counts.ts'

export type Watched = {
  readonly nodeId: number
  readonly clusterId: string
  readonly version: string
  readonly values: () => Values
  readonly state: ClusterState
  readonly partitions: Partitions
  readonly groups: GroupHosts
  readonly requests: RequestCounts
  readonly directory: DataDirectory
  readonly memory: { readonly bytes: number; readonly full: boolean }
  readonly listeners: () => readonly {
    readonly listener: string
    readonly connections: number
    readonly receivedBytes: number
    readonly sentBytes: number
  }[]
  readonly cleaned: {
    readonly passes: number
    readonly bytesRead: number
    readonly bytesWritten: number
    readonly droppedRecords: number
    readonly failures: number
  }
  readonly scrubbed: { readonly logs: number; readonly bytes: number; readonly damages: number }
}
