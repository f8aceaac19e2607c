// The options of a consumer: checked, then resolved once to a frozen object.
import { MinikafkaError } from '@minikafka/protocol'
import {
  anything,
  checkOptions,
  integer,
  invalidOption,
  type OptionRules,
  oneOf,
  text,
} from '../core/index.ts'
import type { TopicLike } from '../topic/index.ts'
import type { OffsetSpec } from '../words.ts'
import type { ConsumerOptions, ErrorPolicy } from './types.ts'

const MEBIBYTE = 1024 * 1024

export type Wanted = {
  readonly topic: TopicLike
  /** Undefined: all partitions, also new ones. */
  readonly partition: number | undefined
  readonly start: OffsetSpec
}

export type ConsumerSettings = {
  readonly wanted: readonly Wanted[]
  readonly onOutOfRange: 'error' | 'earliest' | 'latest'
  readonly isolation: 0 | 1
  readonly prefetchBytes: number
  readonly fetchMinBytes: number
  readonly fetchMaxBytes: number
  readonly partitionMaxBytes: number
  readonly fetchMaxWaitMs: number
  readonly stalledAfterMs: number
  readonly onError: ErrorPolicy
  readonly deadLetter: string | undefined
}

type Given = Partial<Record<GivenKey, unknown>> & ConsumerOptions<TopicLike>
type GivenKey =
  | 'group'
  | 'topics'
  | 'pattern'
  | 'assign'
  | 'start'
  | 'instanceId'
  | 'commit'
  | 'commitIntervalMs'
  | 'maxProcessingMs'
  | 'rebalanceTimeoutMs'
  | 'onAssigned'
  | 'onRevoked'
  | 'onLost'

const NEEDS_GROUP = new Set<string>([
  'group',
  'pattern',
  'instanceId',
  'commit',
  'commitIntervalMs',
  'maxProcessingMs',
  'rebalanceTimeoutMs',
  'onAssigned',
  'onRevoked',
  'onLost',
])

export function resolveConsumerOptions<T extends TopicLike>(
  given: ConsumerOptions<T>,
): ConsumerSettings {
  for (const [key, value] of Object.entries(given ?? {})) {
    if (NEEDS_GROUP.has(key) && value !== undefined) throw noGroups(key)
  }
  const options = checkOptions<Given>('client.consumer', given, rules) as ConsumerOptions<T>
  const onError = options.onError ?? 'stop'
  if (mayDeadLetter(onError) && options.deadLetter === undefined) {
    throw invalidOption(
      "client.consumer: onError 'dead-letter' needs deadLetter, the topic for them",
      'deadLetter',
    )
  }
  return Object.freeze({
    wanted: wantedOf(options),
    onOutOfRange: options.onOutOfRange ?? 'error',
    isolation: options.isolation === 'read_uncommitted' ? 0 : 1,
    prefetchBytes: options.prefetchBytes ?? 16 * MEBIBYTE,
    fetchMinBytes: options.fetchMinBytes ?? 1,
    fetchMaxBytes: options.fetchMaxBytes ?? 8 * MEBIBYTE,
    partitionMaxBytes: MEBIBYTE,
    fetchMaxWaitMs: options.fetchMaxWaitMs ?? 500,
    stalledAfterMs: options.stalledAfterMs ?? 60_000,
    onError,
    deadLetter: options.deadLetter,
  })
}

const topicRule = (value: unknown) =>
  typeof value === 'string' || (typeof value === 'object' && value !== null && 'name' in value)
    ? undefined
    : 'a topic name or a topic()'

const listOf = (rule: (value: unknown) => string | undefined) => (value: unknown) => {
  if (!Array.isArray(value) || value.length === 0) return 'a list with at least one item'
  for (const item of value) {
    const complaint = rule(item)
    if (complaint !== undefined) return `a list, each item ${complaint}`
  }
  return undefined
}

const assignedRule = (value: unknown) => {
  const item = (value ?? {}) as { topic?: unknown; partition?: unknown; start?: unknown }
  if (topicRule(item.topic) !== undefined || integer(0)(item.partition) !== undefined)
    return '{ topic, partition, start? }'
  return item.start === undefined ? undefined : pointRule(item.start)
}

function pointRule(value: unknown): string | undefined {
  const complaint = "an offset, 'earliest', 'latest', { timestamp } or { last }"
  if (typeof value === 'number') return integer(0)(value) && complaint
  if (value === 'earliest' || value === 'latest') return undefined
  const { timestamp, last } = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >
  return integer(0)(timestamp ?? last) === undefined ? undefined : complaint
}

const rules: OptionRules<Given> = {
  group: anything,
  topics: listOf(topicRule),
  pattern: anything,
  assign: listOf(assignedRule),
  start: (value) =>
    typeof value === 'number'
      ? "'earliest', 'latest', { timestamp } or { last }; an offset goes into assign"
      : pointRule(value),
  instanceId: anything,
  commit: anything,
  commitIntervalMs: anything,
  maxProcessingMs: anything,
  rebalanceTimeoutMs: anything,
  onAssigned: anything,
  onRevoked: anything,
  onLost: anything,
  onOutOfRange: oneOf('error', 'earliest', 'latest'),
  isolation: oneOf('read_committed', 'read_uncommitted'),
  prefetchBytes: integer(1024),
  fetchMinBytes: integer(0, 2 ** 31 - 1),
  fetchMaxBytes: integer(1, 2 ** 31 - 1),
  fetchMaxWaitMs: integer(0, 60_000),
  stalledAfterMs: integer(1, 2 ** 31 - 1),
  onError: policyRule,
  deadLetter: text(249),
}

const OUTCOMES = ['stop', 'skip', 'dead-letter']

function policyRule(value: unknown): string | undefined {
  if (typeof value === 'function' || OUTCOMES.includes(value as string)) return undefined
  const { retries, then } = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >
  if (integer(0)(retries) === undefined && OUTCOMES.includes(then as string)) return undefined
  return "'stop', 'skip', 'dead-letter', { retries, then } or a function"
}

function mayDeadLetter(policy: ErrorPolicy): boolean {
  return policy === 'dead-letter' || (typeof policy === 'object' && policy.then === 'dead-letter')
}

function wantedOf<T extends TopicLike>(options: ConsumerOptions<T>): Wanted[] {
  if (options.topics !== undefined && options.assign !== undefined) {
    throw invalidOption(
      'client.consumer: give topics (all partitions) or assign (by hand), not both',
      'assign',
    )
  }
  if (options.assign !== undefined) {
    return options.assign.map(({ topic, partition, start = 'latest' }) => ({
      topic,
      partition,
      start,
    }))
  }
  if (options.topics === undefined)
    throw invalidOption('client.consumer: topics or assign is needed', 'topics')
  const start = options.start ?? 'latest'
  if (start === 'error')
    throw invalidOption("client.consumer: start 'error' is for groups", 'start')
  return options.topics.map((topic) => ({ topic, partition: undefined, start }))
}

function noGroups(key: string): MinikafkaError {
  return new MinikafkaError('INVALID_OPTION', {
    message: `client.consumer: ${key} needs consumer groups, which this version does not have yet; read all partitions with topics, or some with assign`,
    path: key,
  })
}
