// A topic as a request asks for it, checked and completed with the broker's defaults, for the controller.
import type { NewTopic } from '@minikafka/cluster'
import type { Apis, RequestOf } from '@minikafka/protocol'
import { MinikafkaError } from '@minikafka/protocol'
import { checkTopicSetting, type TopicConfig, type Values } from '../config/index.ts'
import type { Rooms } from '../rooms.ts'

type Wanted = RequestOf<Apis['createTopics']>['topics'][number]

/** As Kafka's default.replication.factor of production guides: 3, or as many as there are brokers. */
const REPLICAS_WANTED = 3

export function newTopic(wanted: Wanted, { config, state }: Rooms): NewTopic {
  const own = configOf(wanted.configs)
  const { values } = config
  const brokers = state.brokers().filter(({ status }) => status === 'active').length
  const byDefault = values['default.replication.factor']
  return {
    name: wanted.name,
    partitions: wanted.partitions,
    replicationFactor: wanted.replicationFactor,
    config: own,
    defaults: {
      partitions: values['num.partitions'],
      replicationFactor:
        byDefault === -1 ? Math.max(1, Math.min(REPLICAS_WANTED, brokers)) : byDefault,
    },
    minIsr: (replicationFactor) => effectiveMinIsr(own, values, replicationFactor),
  }
}

function configOf(entries: Wanted['configs']): TopicConfig {
  const own = new Map<string, string>()
  for (const { name, value } of entries) {
    if (value === null) continue
    checkTopicSetting(name, value)
    own.set(name, value)
  }
  return own
}

/** 1 <= minIsr <= replication factor. The topic's own value must fit; the broker's default is cut to fit. */
export function effectiveMinIsr(
  own: TopicConfig,
  values: Values,
  replicationFactor: number,
): number {
  const text = own.get('min.insync.replicas')
  const wanted = text === undefined ? values['min.insync.replicas'] : Number(text)
  if (wanted === -1) return Math.floor(replicationFactor / 2) + 1
  if (wanted <= replicationFactor) return wanted
  if (text === undefined) return replicationFactor
  throw new MinikafkaError('INVALID_CONFIG', {
    message: `min.insync.replicas ${wanted} is above the replication factor ${replicationFactor}`,
    details: { key: 'min.insync.replicas' },
  })
}
