// What an admin does with topics. Each answers when the brokers have done it.
import { type Apis, MinikafkaError, nearest, type ResponseOf } from '@minikafka/protocol'
import { errorOf } from '../answers.ts'
import type { Deadline, TopicInfo } from '../core/index.ts'
import { changesOf, textOf } from './config.ts'
import type { Requests } from './requests.ts'
import type { ConfigChanges, ConfigEntry, CreateTopicOptions, TopicDescription } from './types.ts'

type TopicAnswer = ResponseOf<Apis['metadata']>['topics'][number]

const TOPIC = 2

export async function createTopic(
  requests: Requests,
  name: string,
  options: CreateTopicOptions,
  deadline: Deadline,
): Promise<TopicDescription> {
  const { partitions = -1, replicas = -1, config = {}, ifNotExists, validateOnly = false } = options
  const configs = Object.entries(config).map(([key, value]) => ({
    name: key,
    value: textOf(key, value),
  }))
  const wanted = { name, partitions, replicationFactor: replicas, configs }
  const request = { topics: [wanted], timeoutMs: timeoutOf(deadline), validateOnly }
  const only = ({ results }: ResponseOf<Apis['createTopics']>) => results[0]
  const created = { deadline, topic: name, only }
  const answer = await requests.change('createTopics', request, 'controller', created)
  const { result, error, isRepeat } = answer
  if (error === undefined) {
    if (validateOnly) return planned(name, result?.partitions ?? 0, result?.replicationFactor ?? 0)
    const isOurs = (info: TopicInfo) => info.topicId === result?.topicId && hasLeaders(info)
    return described(await requests.known(name, isOurs, deadline), [])
  }
  if (error.name !== 'TOPIC_ALREADY_EXISTS' || !(ifNotExists || isRepeat)) throw error
  const info = await requests.known(name, hasLeaders, deadline)
  // Made by an attempt of ours whose answer was lost, unless it looks otherwise.
  if (!ifNotExists && partitions !== -1 && info.partitions.length !== partitions) throw error
  return described(info, [])
}

function hasLeaders({ partitions, available }: TopicInfo): boolean {
  return partitions.length > 0 && available.length === partitions.length
}

function planned(name: string, partitionCount: number, replicaCount: number): TopicDescription {
  const replicas = Array.from({ length: replicaCount }, () => -1)
  const partitions = Array.from({ length: partitionCount }, (_, partition) => {
    return { partition, leaderId: -1, leaderEpoch: -1, replicas, isr: [] }
  })
  return { name, topicId: '', internal: false, partitions, config: [] }
}

export async function listTopics(
  requests: Requests,
  internal: boolean,
  deadline: Deadline,
): Promise<TopicDescription[]> {
  const request = { names: null, topicIds: null, allowAutoTopicCreation: false }
  const { topics } = await requests.call('metadata', request, 'any', deadline)
  return topics.filter((topic) => internal || !topic.isInternal).map((topic) => listed(topic))
}

export async function describeTopic(
  requests: Requests,
  name: string,
  deadline: Deadline,
): Promise<TopicDescription> {
  const request = { names: [name], topicIds: null, allowAutoTopicCreation: false }
  const only = ({ topics }: ResponseOf<Apis['metadata']>) => topics[0]
  const asked = { deadline, topic: name, only }
  const { result, error } = await requests.change('metadata', request, 'any', asked)
  await failOn(requests, error, name, deadline)
  if (result === undefined) throw new MinikafkaError('PROTOCOL_VIOLATION', { topic: name })
  return { ...listed(result), config: await topicConfig(requests, name, deadline) }
}

async function topicConfig(
  requests: Requests,
  name: string,
  deadline: Deadline,
): Promise<readonly ConfigEntry[]> {
  const request = { resources: [{ resourceType: TOPIC, resourceName: name, names: null }] }
  const only = ({ results }: ResponseOf<Apis['describeConfigs']>) => results[0]
  const asked = { deadline, topic: name, only }
  const { result, error } = await requests.change('describeConfigs', request, 'any', asked)
  if (error !== undefined) throw error
  return result?.entries ?? []
}

export async function alterTopic(
  requests: Requests,
  name: string,
  change: ConfigChanges,
  deadline: Deadline,
): Promise<void> {
  const resource = { resourceType: TOPIC, resourceName: name, changes: changesOf(change) }
  const request = { resources: [resource], validateOnly: change.validateOnly === true }
  const only = ({ results }: ResponseOf<Apis['incrementalAlterConfigs']>) => results[0]
  const asked = { deadline, topic: name, only }
  const { error } = await requests.change('incrementalAlterConfigs', request, 'controller', asked)
  await failOn(requests, error, name, deadline)
}

export async function addPartitions(
  requests: Requests,
  name: string,
  { total, validateOnly }: { total: number; validateOnly: boolean },
  deadline: Deadline,
): Promise<void> {
  const request = { topics: [{ name, total }], timeoutMs: timeoutOf(deadline), validateOnly }
  const only = ({ results }: ResponseOf<Apis['createPartitions']>) => results[0]
  const asked = { deadline, topic: name, only }
  const answer = await requests.change('createPartitions', request, 'controller', asked)
  const { error, isRepeat } = answer
  if (error?.name === 'INVALID_PARTITIONS' && isRepeat) {
    // Unless an attempt whose answer was lost has done it.
    const info = await requests.known(name, hasLeaders, deadline)
    if (info.partitions.length === total) return
  }
  await failOn(requests, error, name, deadline)
  if (validateOnly) return
  const isGrown = (info: TopicInfo) => info.partitions.length >= total && hasLeaders(info)
  await requests.known(name, isGrown, deadline)
}

export async function deleteTopic(
  requests: Requests,
  name: string,
  ifExists: boolean,
  deadline: Deadline,
): Promise<void> {
  const request = { topics: [{ name, topicId: null }], timeoutMs: timeoutOf(deadline) }
  const only = ({ results }: ResponseOf<Apis['deleteTopics']>) => results[0]
  const asked = { deadline, topic: name, only }
  const answer = await requests.change('deleteTopics', request, 'controller', asked)
  const isGone = answer.error?.name === 'UNKNOWN_TOPIC_OR_PARTITION'
  if (!(isGone && (ifExists || answer.isRepeat)))
    await failOn(requests, answer.error, name, deadline)
  await deadline.hold(requests.core.metadata.refresh(`topic '${name}' was deleted`, [name]))
}

export async function deleteRecords(
  requests: Requests,
  name: string,
  before: Readonly<Record<number, number>>,
  deadline: Deadline,
): Promise<void> {
  const cuts = Object.entries(before).map(([text, beforeOffset]) => {
    const partition = Number(text)
    if (Number.isSafeInteger(beforeOffset) && beforeOffset >= -1) return { partition, beforeOffset }
    const message = `admin.deleteRecords: ${text}: ${beforeOffset} is no offset; -1 is the high watermark`
    throw new MinikafkaError('INVALID_OPTION', { message, topic: name, path: text })
  })
  await requests.retry(deadline, async () => {
    const wait = { timeoutMs: timeoutOf(deadline), signal: deadline.signal, create: false }
    const info = await requests.core.metadata.topic(name, wait)
    for (const cut of cuts) await deleteBefore(requests, info, cut, deadline)
  })
}

async function deleteBefore(
  requests: Requests,
  { name: topic, topicId, partitions }: TopicInfo,
  { partition, beforeOffset }: { partition: number; beforeOffset: number },
  deadline: Deadline,
): Promise<void> {
  const leaderId = partitions[partition]?.leaderId
  if (leaderId === undefined) {
    const message = `'${topic}' has ${partitions.length} partitions; there is no ${partition}`
    throw new MinikafkaError('INVALID_OPTION', { message, topic, partition })
  }
  if (leaderId < 0) throw new MinikafkaError('LEADER_NOT_AVAILABLE', { topic, partition })
  const timeoutMs = timeoutOf(deadline)
  const request = { partitions: [{ topicId, partition, beforeOffset }], timeoutMs }
  const wait = { to: leaderId, timeoutMs, signal: deadline.signal }
  const { results } = await requests.core.call('deleteRecords', request, wait)
  const error = results[0] && errorOf(results[0], { topic, partition })
  if (error === undefined) return
  // A stale leader or id: the next attempt asks with fresh metadata.
  if (error.retriable) await requests.core.metadata.refresh(error.name, [topic])
  throw error
}

// --- descriptions ------------------------------------------------------------------------------

function listed(answer: TopicAnswer): TopicDescription {
  const partitions = answer.partitions.map(
    ({ partition, leaderId, leaderEpoch, replicas, isr }) => {
      return { partition, leaderId, leaderEpoch, replicas, isr }
    },
  )
  const { name, topicId, isInternal: internal } = answer
  return { name: name ?? '', topicId: topicId ?? '', internal, partitions, config: [] }
}

function described(info: TopicInfo, config: readonly ConfigEntry[]): TopicDescription {
  const { name, topicId, isInternal, partitions } = info
  return { name, topicId, internal: isInternal, partitions, config }
}

function timeoutOf(deadline: Deadline): number {
  return Math.max(1, Math.min(2 ** 31 - 1, Math.floor(deadline.leftMs)))
}

/** Throws `error`; that of an unknown topic with the nearest name among those there are. */
async function failOn(
  requests: Requests,
  error: MinikafkaError | undefined,
  name: string,
  deadline: Deadline,
): Promise<void> {
  if (error === undefined) return
  if (error.name !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
  const names = (await listTopics(requests, true, deadline)).map((topic) => topic.name)
  const near = nearest(name, names)
  const hint = near === undefined ? '' : `; did you mean '${near}'?`
  throw new MinikafkaError('UNKNOWN_TOPIC_OR_PARTITION', {
    message: `there is no topic '${name}'${hint}`,
    topic: name,
    details: near === undefined ? undefined : { nearest: near },
  })
}
