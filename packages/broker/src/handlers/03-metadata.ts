// Metadata: brokers, topics, leaders.
//
// Versions   0.
// Behaviour  Answers with the endpoints of the listener that the connection came in on. An unknown name gets its own
//            error; with allowAutoTopicCreation and auto.create.topics.enable it is made first.
import type { ClusterState, Partition, Topic } from '@minikafka/cluster'
import { topicNameError } from '@minikafka/cluster'
import type { RequestOf, ResponseOf } from '@minikafka/protocol'
import { type Apis, type ErrorName, errorCode, isMinikafkaError } from '@minikafka/protocol'
import { resolveTopic } from '../config/index.ts'
import type { Context } from './context.ts'
import { newTopic } from './new-topic.ts'

type Request = RequestOf<Apis['metadata']>
type Response = ResponseOf<Apis['metadata']>
type TopicResult = Response['topics'][number]

export async function metadata(request: Request, context: Context): Promise<Response> {
  const { rooms } = context
  const { names, topicIds, allowAutoTopicCreation } = request
  const { state } = rooms
  const all = names === null && topicIds === null
  const topics: TopicResult[] = all ? state.topics().map((topic) => describe(topic, context)) : []
  // Each once: a request of a few bytes must not be answered with a topic many times over.
  for (const name of new Set(names))
    topics.push(await byName(name, allowAutoTopicCreation, context))
  for (const topicId of new Set(topicIds)) topics.push(byId(topicId, context))
  return {
    clusterId: state.clusterId,
    controllerId: state.controllerId,
    brokers: brokersOf(state, context),
    topics,
  }
}

function brokersOf(state: ClusterState, { rooms, listener }: Context): Response['brokers'] {
  return state
    .brokers()
    .filter(({ status }) => status !== 'fenced')
    .map(({ brokerId, rack }) => ({
      nodeId: brokerId,
      ...rooms.endpoint(brokerId, listener),
      rack: rack ?? null,
    }))
}

async function byName(name: string, mayCreate: boolean, context: Context): Promise<TopicResult> {
  const { rooms } = context
  const topic = rooms.state.topicByName(name)
  if (topic !== undefined) return describe(topic, context)
  const wrong = topicNameError(name)
  if (wrong !== undefined) return unknown('INVALID_TOPIC_EXCEPTION', wrong, name, null)
  if (!mayCreate || !rooms.config.values['auto.create.topics.enable']) {
    return unknown('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic ${name}`, name, null)
  }
  return create(name, context)
}

async function create(name: string, context: Context): Promise<TopicResult> {
  const { rooms } = context
  try {
    const wanted = { name, partitions: -1, replicationFactor: -1, configs: [] }
    const { rev } = await rooms.controller.createTopic(newTopic(wanted, rooms))
    await rooms.reached(rev)
  } catch (error) {
    if (!isMinikafkaError(error)) throw error
    if (error.name !== 'TOPIC_ALREADY_EXISTS') return unknown(error.name, error.message, name, null)
  }
  const topic = rooms.state.topicByName(name)
  if (topic === undefined)
    return unknown('LEADER_NOT_AVAILABLE', 'the topic is being made', name, null)
  return describe(topic, context)
}

function byId(topicId: string, context: Context): TopicResult {
  const topic = context.rooms.state.topicById(topicId)
  if (topic !== undefined) return describe(topic, context)
  return unknown('UNKNOWN_TOPIC_ID', `no topic has the id ${topicId}`, null, topicId)
}

function describe(topic: Topic, { rooms }: Context): TopicResult {
  return {
    errorCode: 0,
    errorMessage: null,
    name: topic.name,
    topicId: topic.topicId,
    isInternal: topic.internal,
    maxMessageBytes: resolveTopic(rooms.config.values, topic.config)['max.message.bytes'],
    partitions: rooms.state.partitionsOf(topic.topicId).map(describePartition),
  }
}

function describePartition({ partition, leader, leaderEpoch, replicas, isr, elr }: Partition) {
  const led = leader >= 0
  return {
    errorCode: led ? 0 : errorCode('LEADER_NOT_AVAILABLE'),
    errorMessage: led ? null : 'no eligible replica is up',
    partition,
    leaderId: leader,
    leaderEpoch,
    replicas,
    isr,
    elr,
  }
}

function unknown(
  error: ErrorName,
  message: string,
  name: string | null,
  topicId: string | null,
): TopicResult {
  return {
    errorCode: errorCode(error),
    errorMessage: message,
    name,
    topicId,
    isInternal: false,
    maxMessageBytes: 0,
    partitions: [],
  }
}
