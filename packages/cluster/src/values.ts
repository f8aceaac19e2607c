// What stands under each key of the store (REPLICATION 3.2): one codec per kind of value, and its type.
import type { Address } from '@minikafka/platform'
import {
  brokerIds,
  defineValue,
  flag,
  integer,
  map,
  oneOf,
  optional,
  text,
  texts,
} from './value-codec.ts'

/** `meta`: what the cluster is. Written once, at bootstrap. */
export const clusterCodec = defineValue({
  clusterId: text('clusterId'),
  formatVersion: integer('formatVersion', 1),
  minClientVersion: text('minClientVersion'),
  featureLevel: integer('featureLevel', 1),
})
export type ClusterValue = ReturnType<typeof clusterCodec.decode>

/** `ctrl`: who is controller; its create revision is the controller epoch. */
export const controllerCodec = defineValue({
  brokerId: integer('brokerId'),
  incarnation: text('incarnation'),
})
export type ControllerValue = ReturnType<typeof controllerCodec.decode>

/** `b/<id>`: a live broker, written by itself, bound to its lease; its create revision is the broker epoch. */
export const brokerCodec = defineValue({
  incarnation: text('incarnation'),
  dirIds: texts('dirIds'),
  /** Where clients of each listener reach it; host '' or port 0: as they dialled. */
  endpoints: map('endpoints', readAddress),
  rack: optional(text('rack')),
  version: text('version'),
  leaseId: text('leaseId'),
  draining: flag('draining'),
  /** Broker epoch in the clean-shutdown.json that it found; absent after an unclean stop. */
  previousEpoch: optional(integer('previousEpoch')),
})
export type BrokerValue = ReturnType<typeof brokerCodec.decode>

/** `bs/<id>`: what the controller thinks of a broker. Persistent. */
export const brokerStatusCodec = defineValue({
  /** Broker epoch that this speaks of. */
  epoch: integer('epoch'),
  incarnation: text('incarnation'),
  status: oneOf('status', ['fenced', 'active', 'draining']),
  /** The store's revision that the controller had seen when it decided. */
  sinceRev: integer('sinceRev'),
})
export type BrokerStatusValue = ReturnType<typeof brokerStatusCodec.decode>

/** `t/<topicId>`. Readers ignore what is not live; `deleting` says that its replicas may remove their directories. */
export const topicCodec = defineValue({
  name: text('name'),
  partitions: integer('partitions', 1),
  replicationFactor: integer('rf', 1),
  state: oneOf('state', ['creating', 'live', 'deleting']),
  /** Effective min.insync.replicas: 1 <= minIsr <= replicationFactor; copied into every partition. */
  minIsr: integer('minIsr', 1),
  /** Settings that differ from the broker's, as text; checked by the broker that took them. */
  config: map('cfg', readText),
})
export type TopicValue = ReturnType<typeof topicCodec.decode>

/** `tn/<name>`: the id behind a name. */
export const topicNameCodec = defineValue({ topicId: text('topicId') })

/** `p/<topicId>/<n>`; its modification revision is Kafka's partition epoch. */
export const partitionCodec = defineValue({
  /** Preferred leader first. */
  replicas: brokerIds('r'),
  isr: brokerIds('i'),
  /** Eligible leader replicas: complete as long as the high watermark cannot have moved (KIP-966). */
  elr: brokerIds('e'),
  lastKnownElr: brokerIds('k'),
  /** Who led when the partition lost its last eligible leader. */
  lastKnownLeader: optional(integer('kl')),
  /** -1: none. */
  leader: integer('l', -1),
  leaderEpoch: integer('le'),
  adding: brokerIds('add'),
  removing: brokerIds('rem'),
  minIsr: integer('m', 1),
  /** The last election may have lost acknowledged records. */
  unclean: flag('u'),
})
export type PartitionValue = ReturnType<typeof partitionCodec.decode>

/** `pid`: the first producer id that nobody was given yet. */
export const producerIdCodec = defineValue({ next: integer('next') })

/** `cfg/broker/<id>` and `cfg/cluster`: settings changed while running, as text. */
export const configCodec = defineValue({ values: map('values', readText) })
export type ConfigValue = ReturnType<typeof configCodec.decode>

function readText(json: unknown): string | undefined {
  return typeof json === 'string' ? json : undefined
}

function readAddress(json: unknown): Address | undefined {
  if (typeof json !== 'object' || json === null) return undefined
  const { host, port } = json as { host?: unknown; port?: unknown }
  if (typeof host !== 'string' || !Number.isSafeInteger(port)) return undefined
  return (port as number) >= 0 && (port as number) <= 65_535
    ? { host, port: port as number }
    : undefined
}
