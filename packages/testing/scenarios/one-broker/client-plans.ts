// The consumers of one seed, and what an administrator does meanwhile.
import type { Dice } from '../stage/dice.ts'
import type { TopicPlan } from './topic-plans.ts'

export const adminKinds = [
  'delete-records',
  'recreate-topic',
  'alter-topic',
  'add-partitions',
  'list-offsets',
] as const
export type AdminKind = (typeof adminKinds)[number]

export type ConsumerPlan = {
  readonly name: string
  readonly topic: string
  /** undefined: all of them, also new ones. */
  readonly partitions: readonly number[] | undefined
  readonly start: 'earliest' | 'latest'
  readonly tuning: {
    readonly onOutOfRange: 'earliest' | 'latest'
    readonly isolation: 'read_committed' | 'read_uncommitted'
    readonly fetchMinBytes: number
    readonly fetchMaxWaitMs: number
    readonly fetchMaxBytes: number
    readonly prefetchBytes: number
  }
  readonly requestTimeoutMs: number
  readonly pollMax: number
  /** Mean number of polls between two seeks; 0: never. */
  readonly pollsPerSeek: number
  /** Between two polls. */
  readonly meanMs: number
}

export function drawConsumers(dice: Dice, topics: readonly TopicPlan[]): ConsumerPlan[] {
  return Array.from({ length: dice.between(0, 3) }, (_, index) => {
    const topic = dice.pick(topics)
    const numbers = Array.from({ length: topic.partitions }, (_, number) => number)
    const some = dice.some(numbers, 0.5)
    return {
      name: `c${index}`,
      topic: topic.name,
      partitions: dice.chance(0.5) && some.length > 0 ? some : undefined,
      start: dice.pick(['earliest', 'earliest', 'latest'] as const),
      tuning: drawTuning(dice),
      requestTimeoutMs: dice.pick([3000, 10_000, 30_000]),
      pollMax: dice.pick([1, 20, 500]),
      pollsPerSeek: dice.pick([0, 0, 10, 50]),
      meanMs: dice.scale(1, 500),
    }
  })
}

function drawTuning(dice: Dice): ConsumerPlan['tuning'] {
  return {
    onOutOfRange: dice.pick(['earliest', 'earliest', 'latest'] as const),
    isolation: dice.pick(['read_committed', 'read_uncommitted'] as const),
    fetchMinBytes: dice.pick([1, 1, 1000, 100_000]),
    fetchMaxWaitMs: dice.pick([20, 100, 500, 5000]),
    fetchMaxBytes: dice.pick([1024, 65_536, 8 * 2 ** 20]),
    prefetchBytes: dice.pick([1024, 2 ** 24]),
  }
}
