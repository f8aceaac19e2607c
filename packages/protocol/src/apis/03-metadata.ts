// Metadata: who leads what, and where to reach it. Source: Kafka MetadataRequest.json, KIP-516, KIP-966 (elr).
import { bool, defineApi, int32, list, nullable, string, struct, uuid } from '../define.ts'

const broker = struct({
  nodeId: int32('Broker id.'),
  host: string('Where clients of this listener reach it; empty = the host that was dialled.'),
  port: int32('Port; 0 = the port that was dialled.'),
  rack: nullable(string('Its rack.')),
})

const partition = struct({
  errorCode: int32('0, or LEADER_NOT_AVAILABLE.'),
  errorMessage: nullable(string('What is wrong and what to do.')),
  partition: int32('Partition number.'),
  leaderId: int32('Broker id of the leader; -1 = none.'),
  leaderEpoch: int32('Epoch of that leadership.'),
  replicas: list('Broker ids, preferred leader first.', int32('Broker id.'), { countMax: 100 }),
  isr: list('In-sync replicas.', int32('Broker id.'), { countMax: 100 }),
  elr: list('Eligible leader replicas.', int32('Broker id.'), { countMax: 100 }),
})

const topic = struct({
  errorCode: int32('0, or why the topic is not described.'),
  errorMessage: nullable(string('What is wrong and what to do.')),
  name: nullable(string('Name; null where an unknown id was asked for.')),
  topicId: nullable(uuid('Id; null where an unknown name was asked for.')),
  isInternal: bool('True for the topics that the brokers keep for themselves.'),
  maxMessageBytes: int32('max.message.bytes of the topic: no batch may be larger.'),
  partitions: list('All partitions.', partition, { countMax: 10_000 }),
})

export const metadata = defineApi({
  name: 'Metadata',
  key: 3,
  versions: [0, 0],
  audience: 'client',
  acl: { operation: 'DESCRIBE', resource: 'TOPIC' },
  about: 'Brokers, topics and leaders. With names and topicIds both null: every topic.',
  request: {
    names: nullable(
      list('Topics by name; null = none by name.', string('Name.'), { countMax: 10_000 }),
    ),
    topicIds: nullable(list('Topics by id; null = none by id.', uuid('Id.'), { countMax: 10_000 })),
    allowAutoTopicCreation: bool('Create unknown names, where the broker allows that.'),
  },
  response: {
    clusterId: string('The generated id of the cluster.'),
    controllerId: int32('Broker id of the controller; -1 = none.'),
    brokers: list('The live brokers.', broker, { countMax: 10_000 }),
    topics: list('What was asked for, in that order; all in name order.', topic, {
      countMax: 100_000,
    }),
  },
  errors: [
    'UNKNOWN_TOPIC_OR_PARTITION',
    'UNKNOWN_TOPIC_ID',
    'INVALID_TOPIC_EXCEPTION',
    'LEADER_NOT_AVAILABLE',
  ],
})
