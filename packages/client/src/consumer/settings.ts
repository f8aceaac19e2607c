// The options of a consumer: checked, then resolved once to a frozen object.
import { POINT_WORDS, pointRule } from '../admin/index.ts'
import {
  boolean,
  callable,
  checkOptions,
  integer,
  invalidOption,
  type OptionRules,
  oneOf,
  text,
  waitRules,
} from '../core/index.ts'
import { type TopicLike, topicName } from '../topic/index.ts'
import type { OffsetSpec } from '../words.ts'
import type { ConsumerOptions, ConsumerTuning, ErrorPolicy, Hook, Start } from './types.ts'

const MEBIBYTE = 1024 * 1024
const INT32_MAX = 2 ** 31 - 1

/** Where a feed begins: at a point; or where its group stands, and only if it stands nowhere as `orElse` says. */
export type FeedStart = OffsetSpec | GroupStart
export type GroupStart = { readonly orElse: OffsetSpec | 'error' }

export type Wanted = {
  readonly topic: TopicLike
  /** Undefined: all partitions, also new ones. */
  readonly partition: number | undefined
  readonly start: FeedStart
}

/** What the coordinator hands out partitions of. */
export type Subscription = {
  /** Undefined: those that `pattern` matches. */
  readonly topics: readonly TopicLike[] | undefined
  readonly pattern: string | undefined
  readonly start: Start
}

export type GroupSettings = {
  readonly id: string
  readonly instanceId: string | undefined
  /** Undefined: partitions are assigned by hand, and the group keeps offsets only. */
  readonly subscription: Subscription | undefined
  readonly commit: 'processed' | 'manual' | 'none'
  readonly commitIntervalMs: number
  readonly rebalanceTimeoutMs: number
  /** Undefined: a record may take as long as it takes. */
  readonly maxProcessingMs: number | undefined
  readonly onAssigned: Hook | undefined
  readonly onRevoked: Hook | undefined
  readonly onLost: Hook | undefined
}

export type ConsumerSettings = {
  /** Empty where the coordinator says it. */
  readonly wanted: readonly Wanted[]
  readonly group: GroupSettings | undefined
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

/** Every key there is, whichever kind of consumer it belongs to. */
type Given = { readonly [K in GivenKey]?: unknown }
type GivenKey =
  | keyof ConsumerTuning
  | 'group'
  | 'topics'
  | 'pattern'
  | 'assign'
  | 'start'
  | 'instanceId'

/** Of no use without a coordinator that hands out partitions. */
const MEMBER_KEYS = [
  'instanceId',
  'maxProcessingMs',
  'rebalanceTimeoutMs',
  'onAssigned',
  'onRevoked',
  'onLost',
] as const
/** Of no use without a group. */
const GROUP_KEYS = ['pattern', 'commit', 'commitIntervalMs', ...MEMBER_KEYS] as const

/** Errors: INVALID_OPTION, naming the key and what it must be. */
export function resolveConsumerOptions<T extends TopicLike>(
  given: ConsumerOptions<T>,
): ConsumerSettings {
  checkOptions<Given>('client.consumer', given, rules)
  refuseUseless(given)
  const onError = given.onError ?? 'stop'
  if (given.deadLetter === undefined && mayDeadLetter(onError)) {
    const message = "client.consumer: onError 'dead-letter' needs deadLetter, the topic for them"
    throw invalidOption(message, 'deadLetter')
  }
  return Object.freeze({
    wanted: wantedOf(given),
    group: groupOf(given),
    onOutOfRange: given.onOutOfRange ?? 'error',
    isolation: given.isolation === 'read_uncommitted' ? 0 : 1,
    prefetchBytes: given.prefetchBytes ?? 16 * MEBIBYTE,
    fetchMinBytes: given.fetchMinBytes ?? 1,
    fetchMaxBytes: given.fetchMaxBytes ?? 8 * MEBIBYTE,
    partitionMaxBytes: MEBIBYTE,
    fetchMaxWaitMs: given.fetchMaxWaitMs ?? 500,
    stalledAfterMs: given.stalledAfterMs ?? 60_000,
    onError,
    deadLetter: given.deadLetter,
  })
}

/** An option that would do nothing is a mistake: the user counts on it. */
function refuseUseless(given: Given): void {
  const { group, assign } = given
  const isUseless = group === undefined ? GROUP_KEYS : assign === undefined ? [] : MEMBER_KEYS
  const key = isUseless.find((name) => given[name] !== undefined)
  if (key === undefined || (key === 'commit' && given.commit === 'none')) return
  const about =
    group === undefined
      ? `${key} needs a group`
      : `${key} is for partitions that the coordinator hands out; assign is by hand`
  throw invalidOption(`client.consumer: ${about}`, key)
}

function groupOf<T extends TopicLike>(given: ConsumerOptions<T>): GroupSettings | undefined {
  const { group: id } = given
  if (id === undefined) return undefined
  const instanceId = 'instanceId' in given ? given.instanceId : undefined
  return Object.freeze({
    ...{ id, instanceId },
    subscription: given.assign === undefined ? subscriptionOf(given) : undefined,
    commit: given.commit ?? 'processed',
    commitIntervalMs: given.commitIntervalMs ?? 1000,
    rebalanceTimeoutMs: given.rebalanceTimeoutMs ?? 300_000,
    maxProcessingMs: given.maxProcessingMs,
    onAssigned: given.onAssigned,
    onRevoked: given.onRevoked,
    onLost: given.onLost,
  })
}

function subscriptionOf<T extends TopicLike>(given: ConsumerOptions<T>): Subscription {
  const { topics, pattern, start } = given
  if (topics !== undefined && pattern !== undefined)
    throw invalidOption('client.consumer: give topics or pattern, not both', 'pattern')
  if (topics === undefined && pattern === undefined) throw nothingWanted()
  if (start === undefined) {
    const message =
      'client.consumer: a group needs start, for partitions where nothing is committed'
    throw invalidOption(`${message}: ${POINT_WORDS} or 'error'`, 'start')
  }
  return { topics, pattern, start }
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

const rules: OptionRules<Given> = {
  group: text(255),
  topics: listOf(topicRule),
  pattern: text(256),
  assign: listOf(assignedRule),
  start: (value) => {
    if (value === 'error') return undefined
    if (typeof value === 'number') return `${POINT_WORDS}; an offset goes into assign`
    return pointRule(value) === undefined ? undefined : POINT_WORDS
  },
  instanceId: text(255),
  commit: oneOf('processed', 'manual', 'none'),
  commitIntervalMs: integer(1, INT32_MAX),
  maxProcessingMs: integer(1, INT32_MAX),
  rebalanceTimeoutMs: integer(1, INT32_MAX),
  onAssigned: callable,
  onRevoked: callable,
  onLost: callable,
  onOutOfRange: oneOf('error', 'earliest', 'latest'),
  isolation: oneOf('read_committed', 'read_uncommitted'),
  prefetchBytes: integer(1024),
  fetchMinBytes: integer(0, INT32_MAX),
  fetchMaxBytes: integer(1, INT32_MAX),
  fetchMaxWaitMs: integer(0, 60_000),
  stalledAfterMs: integer(1, INT32_MAX),
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
  const { topics, assign } = options
  if (topics !== undefined && assign !== undefined) {
    const message = 'client.consumer: give topics (all partitions) or assign (by hand), not both'
    throw invalidOption(message, 'assign')
  }
  const wanted = assign === undefined ? wantedTopics(options) : wantedPartitions(options)
  refuseTwice(wanted, assign === undefined ? 'topics' : 'assign')
  // The coordinator says which of them are read here.
  return options.group !== undefined && assign === undefined ? [] : wanted
}

function refuseTwice(wanted: readonly Wanted[], path: 'topics' | 'assign'): void {
  const ids = wanted.map(({ topic, partition }) => `${topicName(topic)}-${partition ?? ''}`)
  const twice = wanted[ids.findIndex((id, index) => ids.indexOf(id) !== index)]
  if (twice === undefined) return
  const name = topicName(twice.topic)
  const what = twice.partition === undefined ? `topic '${name}'` : `${name}-${twice.partition}`
  throw invalidOption(`client.consumer: ${what} is given twice`, path)
}

function wantedTopics<T extends TopicLike>({
  group,
  topics,
  start = 'latest',
}: ConsumerOptions<T>) {
  if (group !== undefined)
    return (topics ?? []).map((topic): Wanted => ({ topic, partition: undefined, start: 0 }))
  if (topics === undefined) throw nothingWanted()
  if (start === 'error')
    throw invalidOption("client.consumer: start 'error' is for groups", 'start')
  return topics.map((topic): Wanted => ({ topic, partition: undefined, start }))
}

function wantedPartitions<T extends TopicLike>({ group, assign = [], start }: ConsumerOptions<T>) {
  if (start !== undefined)
    throw invalidOption('client.consumer: with assign, start goes into each item', 'start')
  return assign.map(({ topic, partition, start: from = 'latest' }): Wanted => {
    return { topic, partition, start: group === undefined ? from : { orElse: from } }
  })
}

function nothingWanted() {
  return invalidOption(
    'client.consumer: topics or assign is needed (in a group also pattern)',
    'topics',
  )
}

// --- options of the calls ----------------------------------------------------------------------

const signal = waitRules.signal

export const readRules = {
  run: { concurrency: integer(1, 10_000), order: oneOf('partition', 'key', 'none'), signal },
  batches: { maxRecords: integer(1), maxWaitMs: integer(0, INT32_MAX), signal },
  poll: { max: integer(1), maxWaitMs: integer(0, INT32_MAX), signal },
  close: { ...waitRules, leave: boolean },
} as const
