// The producers of one seed, and the records they send: each can be made again from its name, so that every byte of it
// can be compared wherever it turns up.
import type { ProducerOptions } from '@minikafka/client'
import { Dice } from '../stage/dice.ts'
import type { Less } from '../stage/outcome.ts'
import { isCompacted, type TopicPlan } from './topic-plans.ts'

export type ProducerPlan = {
  readonly name: string
  readonly options: ProducerOptions
  readonly requestTimeoutMs: number
  readonly topics: readonly string[]
  readonly records: number
  /** Mean time between two sends; several go at once. */
  readonly meanMs: number
  readonly burst: number
  readonly outstandingMax: number
  /** How fast its link to the broker is from the beginning; undefined: as others. */
  readonly bytesPerSecond: number | undefined
}

export type SentRecord = {
  readonly key: string | null
  readonly value: string
  readonly headers: Readonly<Record<string, string>>
}

/** Begins the names of producers whose records are large: kernels hold few of them. */
const LARGE = 'large'

export function drawProducers(
  dice: Dice,
  topics: readonly TopicPlan[],
  less: Less,
): ProducerPlan[] {
  const count = dice.between(1, 4)
  const plans = Array.from({ length: count }, (_, index) => drawProducer(dice, topics, index))
  return plans.slice(0, less.producers).map((plan) => ({
    ...plan,
    records: Math.min(plan.records, less.records ?? plan.records),
  }))
}

function drawProducer(dice: Dice, topics: readonly TopicPlan[], index: number): ProducerPlan {
  const wanted = dice.some(topics, 0.7).map(({ name }) => name)
  const plan: ProducerPlan = {
    name: `p${index}`,
    options: drawOptions(dice),
    requestTimeoutMs: dice.pick([500, 3000, 10_000, 30_000]),
    topics: wanted.length > 0 ? wanted : topics.map(({ name }) => name),
    records: dice.scale(20, 250),
    meanMs: dice.scale(1, 120),
    burst: dice.pick([1, 1, 5, 40]),
    outstandingMax: dice.pick([1, 10, 100, 1000]),
    bytesPerSecond: undefined,
  }
  return dice.chance(0.3) ? { ...plan, ...drawFlood(dice, plan.options, index) } : plan
}

/** More than kernels hold. Over a thin link its batches expire while their bytes are still being sent (trap T18). */
function drawFlood(dice: Dice, options: ProducerOptions, index: number): Partial<ProducerPlan> {
  const isThin = dice.chance(0.5)
  return {
    // Records are made again from their names: that they are large must stand there, too.
    name: `${LARGE}${index}`,
    options: {
      ...options,
      compression: isThin ? 'none' : dice.pick(['none', 'lz4'] as const),
      deliveryTimeoutMs: isThin ? dice.scale(300, 3000) : dice.pick([2000, 20_000]),
      maxInFlight: 5,
    },
    requestTimeoutMs: isThin ? 30_000 : dice.pick([3000, 30_000]),
    records: dice.scale(60, 400),
    meanMs: dice.scale(1, 20),
    burst: dice.pick([10, 40]),
    outstandingMax: dice.pick([100, 1000]),
    bytesPerSecond: isThin ? dice.scale(1000, 50_000) : undefined,
  }
}

function drawOptions(dice: Dice): ProducerOptions {
  const kind = dice.below(10)
  const acks = kind < 7 ? 'all' : kind < 9 ? 'leader' : 'none'
  return {
    acks,
    idempotent: acks === 'all' && dice.chance(0.85),
    lingerMs: dice.pick([0, 5, 50]),
    maxBatchBytes: dice.pick([1024, 4096, 16_384, 2 ** 20]),
    maxBufferedBytes: dice.pick([65_536, 2 ** 25]),
    maxInFlight: dice.pick([1, 5, 5]),
    deliveryTimeoutMs: dice.pick([1000, 5000, 20_000, 50_000]),
    compression: dice.pick(['none', 'none', 'gzip', 'lz4', 'snappy', 'zstd'] as const),
  }
}

/** The record that `id` names, as it is sent to a topic. */
export function recordOf(id: string, topic: string): SentRecord {
  const dice = new Dice(0, id)
  const sizeMax = id.startsWith(LARGE) ? 15_000 : 700
  const filler = dice
    .below(36)
    .toString(36)
    .repeat(dice.scale(1, sizeMax) - 1)
  const headers = dice.chance(0.2) ? { id } : {}
  const key = dice.chance(0.7) ? `k${dice.below(12)}` : null
  // Without a key it would be refused, and its batch with it.
  return { key: key ?? (isCompacted(topic) ? 'none' : null), value: `${id}:${filler}`, headers }
}

/** The name that a value begins with; empty: it has none. */
export function idOf(value: string): string {
  return value.slice(0, Math.max(0, value.indexOf(':')))
}
