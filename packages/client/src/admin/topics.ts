// What an admin does with topics. Each answers when the brokers have done it.
import { errorName, isMinikafkaError, MinikafkaError, nearest } from '@minikafka/protocol'
import { errorOf } from '../answers.ts'
import type { Deadline, TopicInfo } from '../core/index.ts'
import type { Requests } from './requests.ts'
import type { Config, ConfigEntry, CreateTopicOptions, TopicDescription } from './types.ts'

const TOPIC = 2
const SET = 0
const DELETE = 1

export async function createTopic(
  requests: Requests,
  name: string,
  options: CreateTopicOptions,
  deadline: Deadline,
): Promise<TopicDescription> {
  const {
    partitions = -1,
    replicas = -1,
    config = {},
    ifNotExists = false,
    validateOnly = false,
  } = options
  const wanted = { name, partitions, replicationFactor: replicas, configs: configEntries(config) }
  const request = { topics: [wanted], timeoutMs: timeoutOf(deadline), validateOnly }
  const { results } = await requests.call('createTopics', request, 'controller', deadline)
  const [result] = results
  const error = result === undefined ? undefined : errorOf(result, { topic: name })
  if (error !== undefined && !(ifNotExists && error.name === 'TOPIC_ALREADY_EXISTS')) throw error
  if (validateOnly && result !== undefined && error === undefined)
    return planned(name, result.partitions, result.replicationFactor)
  // The client's own metadata must know the leaders, so that the first send needs no retry.
  return requests.retry(deadline, async () => {
    await requests.core.metadata.refresh(`topic '${name}' was created`, [name])
    const info = await requests.core.metadata.topic(name, {
      timeoutMs: timeoutOf(deadline),
      create: false,
    })
    return describe(info, [])
  })
}

function planned(name: string, partitions: number, replicas: number): TopicDescription {
  const one = {
    leaderId: -1,
    leaderEpoch: -1,
    replicas: Array.from({ length: replicas }, () => -1),
    isr: [],
  }
  return {
    name,
    topicId: '',
    internal: false,
    partitions: Array.from({ length: partitions }, (_, partition) => ({ partition, ...one })),
    config: [],
  }
}

export async function listTopics(
  requests: Requests,
  internal: boolean,
  deadline: Deadline,
): Promise<TopicDescription[]> {
  const request = { names: null, topicIds: null, allowAutoTopicCreation: false }
  const { topics } = await requests.call('metadata', request, 'any', deadline)
  return topics
    .filter((topic) => internal || !topic.isInternal)
    .map((topic) => ({
      name: topic.name ?? '',
      topicId: topic.topicId ?? '',
      internal: topic.isInternal,
      partitions: topic.partitions.map(({ partition, leaderId, leaderEpoch, replicas, isr }) => ({
        partition,
        leaderId,
        leaderEpoch,
        replicas,
        isr,
      })),
      config: [],
    }))
}

export async function describeTopic(
  requests: Requests,
  name: string,
  deadline: Deadline,
): Promise<TopicDescription> {
  const all = await listTopics(requests, true, deadline)
  const topic = all.find((one) => one.name === name)
  if (topic === undefined)
    throw unknownTopic(
      name,
      all.map((one) => one.name),
    )
  return { ...topic, config: await topicConfig(requests, name, deadline) }
}

async function topicConfig(
  requests: Requests,
  name: string,
  deadline: Deadline,
): Promise<readonly ConfigEntry[]> {
  const request = { resources: [{ resourceType: TOPIC, resourceName: name, names: null }] }
  const { results } = await requests.call('describeConfigs', request, 'any', deadline)
  const [result] = results
  const error = result && errorOf(result, { topic: name })
  if (error) throw error
  return result?.entries ?? []
}

export async function alterTopic(
  requests: Requests,
  name: string,
  change: { set: Config; unset: readonly string[]; validateOnly: boolean },
  deadline: Deadline,
): Promise<void> {
  const changes = [
    ...Object.entries(change.set).map(([key, value]) => ({
      name: key,
      operation: SET,
      value: String(value),
    })),
    ...change.unset.map((key) => ({ name: key, operation: DELETE, value: null })),
  ]
  const request = {
    resources: [{ resourceType: TOPIC, resourceName: name, changes }],
    validateOnly: change.validateOnly,
  }
  const { results } = await requests.call(
    'incrementalAlterConfigs',
    request,
    'controller',
    deadline,
  )
  await failOn(requests, results[0], name, deadline)
}

export async function addPartitions(
  requests: Requests,
  name: string,
  total: number,
  deadline: Deadline,
): Promise<void> {
  const request = { topics: [{ name, total }], timeoutMs: timeoutOf(deadline), validateOnly: false }
  const { results } = await requests.call('createPartitions', request, 'controller', deadline)
  await failOn(requests, results[0], name, deadline)
  await requests.core.metadata.refresh(`topic '${name}' grew`, [name])
}

export async function deleteTopic(
  requests: Requests,
  name: string,
  ifExists: boolean,
  deadline: Deadline,
): Promise<void> {
  const request = { topics: [{ name, topicId: null }], timeoutMs: timeoutOf(deadline) }
  const { results } = await requests.call('deleteTopics', request, 'controller', deadline)
  if (ifExists && results[0] && errorName(results[0].errorCode) === 'UNKNOWN_TOPIC_OR_PARTITION')
    return
  await failOn(requests, results[0], name, deadline)
  await requests.core.metadata.refresh(`topic '${name}' was deleted`, [name])
}

export async function deleteRecords(
  requests: Requests,
  name: string,
  before: Readonly<Record<number, number>>,
  deadline: Deadline,
): Promise<void> {
  await requests.retry(deadline, async () => {
    const info = await requests.core.metadata.topic(name, {
      timeoutMs: timeoutOf(deadline),
      create: false,
    })
    for (const [text, beforeOffset] of Object.entries(before)) {
      const partition = Number(text)
      const leaderId = info.partitions[partition]?.leaderId
      if (leaderId === undefined) {
        throw new MinikafkaError('INVALID_OPTION', {
          message: `'${name}' has no partition ${text}`,
          topic: name,
        })
      }
      const request = {
        partitions: [{ topicId: info.topicId, partition, beforeOffset }],
        timeoutMs: timeoutOf(deadline),
      }
      const { results } = await requests.core.call('deleteRecords', request, {
        to: leaderId,
        timeoutMs: timeoutOf(deadline),
      })
      const error = results[0] && errorOf(results[0], { topic: name, partition })
      if (error) throw await afterRefresh(requests, error, name)
    }
  })
}

/** A stale leader or id: the next attempt asks with fresh metadata. */
async function afterRefresh(
  requests: Requests,
  error: MinikafkaError,
  name: string,
): Promise<MinikafkaError> {
  if (error.retriable) await requests.core.metadata.refresh(error.name, [name])
  return error
}

function describe(info: TopicInfo, config: readonly ConfigEntry[]): TopicDescription {
  const { name, topicId, isInternal, partitions } = info
  return { name, topicId, internal: isInternal, partitions, config }
}

function configEntries(config: Config): { name: string; value: string }[] {
  return Object.entries(config).map(([name, value]) => ({ name, value: String(value) }))
}

function timeoutOf(deadline: Deadline): number {
  return Math.max(1, Math.min(2 ** 31 - 1, Math.floor(deadline.leftMs)))
}

/** Throws the result's error; an unknown topic's with the nearest name among those there are. */
async function failOn(
  requests: Requests,
  result: { errorCode: number; errorMessage: string | null } | undefined,
  name: string,
  deadline: Deadline,
): Promise<void> {
  const error = result && errorOf(result, { topic: name })
  if (!error) return
  if (!isMinikafkaError(error) || error.name !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
  const all = await listTopics(requests, false, deadline)
  throw unknownTopic(
    name,
    all.map((one) => one.name),
  )
}

function unknownTopic(name: string, names: readonly string[]): MinikafkaError {
  const near = nearest(name, names)
  return new MinikafkaError('UNKNOWN_TOPIC_OR_PARTITION', {
    message: `there is no topic '${name}'${near === undefined ? '' : `; did you mean '${near}'?`}`,
    topic: name,
    details: near === undefined ? undefined : { nearest: near },
  })
}
