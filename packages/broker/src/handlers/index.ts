// The dispatch table: one handler for each API. Total: a forgotten handler does not compile.
import type { Apis, HangUp, RequestOf, ResponseOf } from '@minikafka/protocol'
import { produce } from './00-produce.ts'
import { fetch } from './01-fetch.ts'
import { listOffsets } from './02-list-offsets.ts'
import { metadata } from './03-metadata.ts'
import { offsetCommit } from './08-offset-commit.ts'
import { offsetFetch } from './09-offset-fetch.ts'
import { findCoordinator } from './10-find-coordinator.ts'
import { leaveGroup } from './13-leave-group.ts'
import { listGroups } from './16-list-groups.ts'
import { createTopics } from './19-create-topics.ts'
import { deleteTopics } from './20-delete-topics.ts'
import { deleteRecords } from './21-delete-records.ts'
import { initProducerId } from './22-init-producer-id.ts'
import { describeConfigs } from './32-describe-configs.ts'
import { describeLogDirs } from './35-describe-log-dirs.ts'
import { createPartitions } from './37-create-partitions.ts'
import { deleteGroups } from './42-delete-groups.ts'
import { incrementalAlterConfigs } from './44-incremental-alter-configs.ts'
import { offsetDelete } from './47-offset-delete.ts'
import { describeCluster } from './60-describe-cluster.ts'
import { consumerGroupHeartbeat } from './68-consumer-group-heartbeat.ts'
import { consumerGroupDescribe } from './69-consumer-group-describe.ts'
import { describeBroker } from './10000-describe-broker.ts'
import type { Context } from './context.ts'

export type { Hello } from './18-api-versions.ts'
export type { Context } from './context.ts'

/** ApiVersions is answered by the server of the connection, from `hello`. Undefined, HangUp: nothing is (acks 0). */
export type Handlers = {
  readonly [K in Exclude<keyof Apis, 'apiVersions'>]: (
    request: RequestOf<Apis[K]>,
    context: Context,
  ) => Promise<ResponseOf<Apis[K]> | HangUp | undefined>
}

export const handlers: Handlers = {
  produce,
  fetch,
  listOffsets,
  metadata,
  offsetCommit,
  offsetFetch,
  findCoordinator,
  leaveGroup,
  listGroups,
  createTopics,
  deleteTopics,
  deleteRecords,
  initProducerId,
  describeConfigs,
  describeLogDirs,
  createPartitions,
  deleteGroups,
  incrementalAlterConfigs,
  offsetDelete,
  describeCluster,
  consumerGroupHeartbeat,
  consumerGroupDescribe,
  describeBroker,
}
