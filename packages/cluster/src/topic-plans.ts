// May this topic be made, may it grow so far: everything is checked before anything is written (SECURITY rows 31-33).
// Enters: the wish and what there is. Leaves: the partitions to write, or a MinikafkaError that says what to do.
import { MinikafkaError, nearest } from '@minikafka/protocol'
import { placeReplicas } from './placement.ts'
import { isInternalTopic, topicNameError } from './topic-names.ts'
import type { PartitionValue } from './values.ts'

export type NewTopic = {
  readonly name: string
  /** -1: `defaults.partitions`. */
  readonly partitions: number
  /** -1: `defaults.replicationFactor`. */
  readonly replicationFactor: number
  /** Settings as text, checked by the broker. */
  readonly config: ReadonlyMap<string, string>
  readonly defaults: { readonly partitions: number; readonly replicationFactor: number }
  /** Effective min.insync.replicas for a replication factor. */
  readonly minIsr: (replicationFactor: number) => number
  /** True: a broker makes it for the brokers, reserved names are allowed. */
  readonly internal?: boolean | undefined
}

/** What there is already. */
export type Present = {
  has(name: string): boolean
  readonly partitionCount: number
  readonly partitionsMax: number
  /** Brokers that may get replicas. */
  readonly activeBrokers: readonly number[]
}

export type PlannedTopic = {
  readonly name: string
  readonly replicationFactor: number
  readonly minIsr: number
  readonly config: ReadonlyMap<string, string>
  readonly partitions: readonly PartitionValue[]
}

const MIN_ISR = 'min.insync.replicas'

export function planTopic(topic: NewTopic, present: Present): PlannedTopic {
  const { name, config } = topic
  checkName(topic)
  if (present.has(name)) throw topicExists(name)
  const count = topic.partitions === -1 ? topic.defaults.partitions : topic.partitions
  if (count < 1) {
    throw new MinikafkaError('INVALID_PARTITIONS', {
      message: `a topic has at least 1 partition, not ${count} (-1: the default)`,
      topic: name,
    })
  }
  checkPartitionsMax(name, count, present)
  const replicationFactor =
    topic.replicationFactor === -1 ? topic.defaults.replicationFactor : topic.replicationFactor
  checkReplicationFactor(name, replicationFactor, present)
  const minIsr = checkMinIsr(name, {
    config,
    minIsr: topic.minIsr(replicationFactor),
    replicationFactor,
  })
  const partitions = planPartitions({ count, replicationFactor, minIsr }, present)
  return { name, replicationFactor, minIsr, config, partitions }
}

/** The partitions that a topic of `current` lacks to `total`. */
export function planGrowth(
  topic: { name: string; partitions: number; replicationFactor: number; minIsr: number },
  total: number,
  present: Present,
): readonly PartitionValue[] {
  const { name, partitions, replicationFactor, minIsr } = topic
  if (total <= partitions) {
    throw new MinikafkaError('INVALID_PARTITIONS', {
      message: `topic ${name} has ${partitions} partitions already and can only grow, not become ${total}`,
      topic: name,
    })
  }
  const count = total - partitions
  checkPartitionsMax(name, count, present)
  checkReplicationFactor(name, replicationFactor, present)
  return planPartitions({ count, replicationFactor, minIsr }, present)
}

/** Answers the value to keep. What the topic asks for must be possible; a default gives way. */
export function checkMinIsr(
  topic: string,
  wish: { config: ReadonlyMap<string, string>; minIsr: number; replicationFactor: number },
): number {
  const { config, minIsr, replicationFactor } = wish
  if (minIsr >= 1 && minIsr <= replicationFactor) return minIsr
  if (!config.has(MIN_ISR)) return Math.max(1, Math.min(minIsr, replicationFactor))
  throw new MinikafkaError('INVALID_CONFIG', {
    message: `${MIN_ISR}: expected 1 to ${replicationFactor}, the replication factor of ${topic}, not ${minIsr}`,
    topic,
    details: { key: MIN_ISR },
  })
}

export function topicExists(name: string): MinikafkaError {
  const message = `topic ${name} exists already`
  return new MinikafkaError('TOPIC_ALREADY_EXISTS', { message, topic: name })
}

/** For a name that nobody has, with the nearest that there is. */
export function unknownTopic(name: string, names: Iterable<string>): MinikafkaError {
  const near = nearest(name, names)
  const shown = JSON.stringify(name.slice(0, 249))
  return new MinikafkaError('UNKNOWN_TOPIC_OR_PARTITION', {
    message: `there is no topic ${shown}${near === undefined ? '' : `: did you mean ${near}?`}`,
    topic: name,
  })
}

function checkName({ name, internal }: NewTopic): void {
  const wrong = topicNameError(name)
  if (wrong !== undefined) throw new MinikafkaError('INVALID_TOPIC_EXCEPTION', { message: wrong })
  if (isInternalTopic(name) && !internal) {
    throw new MinikafkaError('INVALID_TOPIC_EXCEPTION', {
      message: `${name}: names that begin with __ are kept for the brokers, take another one`,
      topic: name,
    })
  }
}

function checkPartitionsMax(topic: string, count: number, present: Present): void {
  const { partitionCount, partitionsMax } = present
  if (partitionCount + count <= partitionsMax) return
  throw new MinikafkaError('POLICY_VIOLATION', {
    message:
      `${count} more partitions would be too many: there are ${partitionCount} in all topics together, ` +
      `max.partitions allows ${partitionsMax}`,
    topic,
  })
}

function checkReplicationFactor(topic: string, replicationFactor: number, present: Present): void {
  const brokerCount = present.activeBrokers.length
  if (replicationFactor >= 1 && replicationFactor <= brokerCount) return
  throw new MinikafkaError('INVALID_REPLICATION_FACTOR', {
    message:
      `replication factor ${replicationFactor} is not possible: at least 1, at most the ` +
      `${brokerCount} broker${brokerCount === 1 ? '' : 's'} that are there (-1: the default)`,
    topic,
  })
}

function planPartitions(
  {
    count,
    replicationFactor,
    minIsr,
  }: { count: number; replicationFactor: number; minIsr: number },
  present: Present,
): readonly PartitionValue[] {
  const placed = placeReplicas(present.activeBrokers, {
    count,
    replicationFactor,
    start: present.partitionCount,
  })
  return placed.map((replicas) => ({
    replicas,
    isr: replicas,
    elr: [],
    lastKnownElr: [],
    lastKnownLeader: undefined,
    leader: replicas[0] ?? -1,
    leaderEpoch: 0,
    adding: [],
    removing: [],
    minIsr,
    unclean: false,
  }))
}
