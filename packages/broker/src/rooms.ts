// What handlers reach of the broker: the rooms below them and a few facts. Built once, by broker.ts.
import type { ClusterState, Controller, ProducerIds } from '@minikafka/cluster'
import type { Address } from '@minikafka/platform'
import type { LiveConfig } from './config/index.ts'
import type { GroupHosts, OffsetsTopic } from './hosts/index.ts'
import type { DataDirectory } from './log/index.ts'
import type { Partitions } from './partition/index.ts'
import type { Suspicions } from './suspicions.ts'

export type Rooms = {
  readonly nodeId: number
  readonly version: string
  readonly config: LiveConfig
  readonly state: ClusterState
  readonly controller: Controller
  readonly producerIds: ProducerIds
  readonly partitions: Partitions
  readonly directory: DataDirectory
  readonly offsetsTopic: OffsetsTopic
  readonly groups: GroupHosts
  /** Aborts when the broker begins to stop: nobody waits for records any longer. */
  readonly stopping: AbortSignal
  /** Resolves when everything up to this revision of the metadata has been done here. */
  readonly reached: (revision: number) => Promise<void>
  /** Grows by one with each call: where the next fetch begins its walk over the partitions. */
  readonly nextRotation: () => number
  readonly suspicions: Suspicions
  /** Where clients of a listener reach a broker; host '' and port 0: where they dialled. */
  readonly endpoint: (brokerId: number, listener: string) => Address
}
