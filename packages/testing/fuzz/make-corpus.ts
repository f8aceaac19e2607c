// Writes the frames of the corpus again: one request of each API, and what a real broker answered.
// `npx tsx --conditions=@minikafka/source packages/testing/fuzz/make-corpus.ts`, after an API was added or changed.
import type { ApiName } from '@minikafka/protocol'
import { encodeRequest } from '../../protocol/src/codec/index.ts'
import { batchOf } from './batches.ts'
import { BrokerStage, replaced, TOPIC, TOPIC_ID_IN_CORPUS as topicId } from './broker-stage.ts'
import { keepInput } from './corpus.ts'
import { apiNames, newest } from './values.ts'

const limits = { maxWaitMs: 0, minBytes: 1, maxBytes: 65_536 }
const consumer = { replicaId: -1, brokerEpoch: -1, sessionId: 0, sessionEpoch: -1, rack: '' }
const nobody = { memberId: '', memberEpoch: -1 }
const GROUP = 'positions'
const MEMBERS = 'members'
const followed = { lastFetchedEpoch: -1, durableOffset: -1, logStartOffset: -1, suspectOffset: -1 }

const requests: Readonly<Record<ApiName, object>> = {
  produce: {
    acks: -1,
    timeoutMs: 1000,
    appends: [
      { topicId, partition: 0, batch: batchOf(3) },
      { topicId, partition: 1, batch: batchOf(1, { compression: 'gzip' }) },
    ],
  },
  fetch: {
    ...consumer,
    ...limits,
    isolation: 1,
    partitions: [
      { topicId, partition: 0, leaderEpoch: -1, fetchOffset: 0, maxBytes: 65_536, ...followed },
      { topicId, partition: 1, leaderEpoch: 0, fetchOffset: 0, maxBytes: 65_536, ...followed },
    ],
  },
  listOffsets: {
    isolation: 0,
    partitions: [
      { topicId, partition: 0, leaderEpoch: -1, timestamp: -2 },
      { topicId, partition: 1, leaderEpoch: -1, timestamp: 1_767_225_600_000 },
    ],
  },
  metadata: { names: [TOPIC, 'nobody'], topicIds: [topicId], allowAutoTopicCreation: false },
  offsetCommit: {
    groupId: GROUP,
    ...nobody,
    instanceId: null,
    positions: [
      { topicId, partition: 0, offset: 2, leaderEpoch: 0, metadata: 'by hand' },
      { topicId, partition: 1, offset: 1, leaderEpoch: -1, metadata: null },
    ],
  },
  offsetFetch: {
    groupId: GROUP,
    ...nobody,
    memberId: null,
    requireStable: true,
    partitions: [{ topicId, partition: 0 }],
  },
  findCoordinator: { keyType: 0, keys: [GROUP, 'nobody'] },
  leaveGroup: {
    groupId: MEMBERS,
    members: [{ memberId: 'nobody', instanceId: null, reason: 'stuck' }],
  },
  listGroups: { states: ['Stable', 'Empty'] },
  apiVersions: { clientName: 'stranger', clientVersion: '1', clientId: 'stranger' },
  createTopics: {
    topics: [
      {
        name: 'more',
        partitions: 1,
        replicationFactor: 1,
        configs: [{ name: 'retention.ms', value: '1000' }],
      },
    ],
    timeoutMs: 1000,
    validateOnly: true,
  },
  deleteTopics: { topics: [{ name: 'more', topicId: null }], timeoutMs: 1000 },
  deleteRecords: { partitions: [{ topicId, partition: 0, beforeOffset: 1 }], timeoutMs: 1000 },
  initProducerId: {
    transactionalId: null,
    transactionTimeoutMs: -1,
    producerId: -1,
    producerEpoch: -1,
  },
  describeConfigs: {
    resources: [{ resourceType: 2, resourceName: TOPIC, names: ['retention.ms'] }],
  },
  describeLogDirs: { names: [TOPIC] },
  createPartitions: {
    topics: [{ name: TOPIC, total: 3 }],
    timeoutMs: 1000,
    validateOnly: true,
  },
  deleteGroups: { groupIds: [GROUP, 'nobody'] },
  incrementalAlterConfigs: {
    resources: [
      {
        resourceType: 2,
        resourceName: TOPIC,
        changes: [{ name: 'retention.ms', operation: 0, value: '60000' }],
      },
    ],
    validateOnly: true,
  },
  offsetDelete: { groupId: GROUP, partitions: [{ topicId, partition: 0 }] },
  describeCluster: {},
  describeBroker: {},
  consumerGroupHeartbeat: {
    groupId: MEMBERS,
    memberId: 'member',
    memberEpoch: 0,
    instanceId: null,
    rackId: 'rack',
    rebalanceTimeoutMs: 60_000,
    subscribedTopicNames: [TOPIC],
    subscribedTopicRegex: 'orders-[a-z]+',
    serverAssignor: 'range',
    topicPartitions: [],
  },
  consumerGroupDescribe: { groupIds: [MEMBERS, 'nobody'] },
}
/** One that needs another before it, so that its answer says something. */
const first: readonly ApiName[] = ['findCoordinator', 'offsetCommit', 'consumerGroupHeartbeat']

const stage = await BrokerStage.open(1)
for (const api of new Set([...first, ...apiNames])) {
  const frame = Buffer.concat(encodeRequest(api, newest(api), 1, requests[api] as never))
  keepInput('frames', `${api}.bin`, frame)
  keepInput('answers', `${api}.bin`, await answerTo(api, frame))
}
await stage.close()

async function answerTo(api: ApiName, frame: Buffer): Promise<Buffer> {
  const stranger = await stage.dial()
  if (api !== 'apiVersions') stranger.greet()
  stranger.send(stage.withTopicId(frame))
  await stage.broker.world.until(() => stranger.frames().length === (api === 'apiVersions' ? 1 : 2))
  const answer = stranger.frames().at(-1) as Buffer
  stranger.destroy()
  const kept = replaced(answer, stage.topicId, topicId)
  return Buffer.concat([Buffer.of(apiNames.indexOf(api)), kept])
}
