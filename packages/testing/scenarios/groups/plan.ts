// What one seed of the scenario `groups` does: settings, topics, producers, members, and what befalls them, drawn whole
// before the world begins. A seed takes a random part of everything there is (swarm testing; TESTING, "Swarm").
// Enters: a seed, and what shall be left out of it. Leaves: data, the same each time.
import type { ProducerOptions } from '@minikafka/client'
import { Dice } from '../stage/dice.ts'
import { FAULT_KINDS, type FaultPlan } from '../stage/fault-kinds.ts'
import type { Less } from '../stage/outcome.ts'
import { drawGroups, type GroupPlan } from './member-plans.ts'

/** What befalls members, and what an administrator does meanwhile. */
const MEMBER_MOVES = [
  'leave',
  'crash',
  'freeze',
  'remove',
  'reset',
  'grow',
  'create',
  'look',
] as const
/** Drawn apart, so that it changes no other draw. */
const LATE_COMMIT = 'late-commit'
export const MOVE_KINDS = [...MEMBER_MOVES, LATE_COMMIT] as const
export type MoveKind = (typeof MOVE_KINDS)[number]
/** Those that no member can help: it may have to do something once more. */
const ROUGH: readonly MoveKind[] = ['crash', 'freeze', 'remove', 'reset']

export type MovePlan = { readonly kind: MoveKind; readonly meanMs: number }

export type ProducerPlan = {
  readonly name: string
  readonly options: ProducerOptions
  readonly records: number
  readonly meanMs: number
  readonly burst: number
}

export type TopicPlan = { readonly name: string; readonly partitions: number }

export type Plan = {
  readonly seed: number
  /** Nothing goes wrong: nobody is fenced, and no record is worked on twice. */
  readonly isCalm: boolean
  /** How long the faults rage. */
  readonly safetyMs: number
  readonly settings: Readonly<Record<string, string | number>>
  readonly topics: readonly TopicPlan[]
  readonly producers: readonly ProducerPlan[]
  readonly groups: readonly GroupPlan[]
  readonly moves: readonly MovePlan[]
  readonly faults: readonly FaultPlan[]
  readonly rots: false
  /** A dead broker is started again within this time. */
  readonly restartMaxMs: number
  readonly driftPpm: number
  readonly diskLatency: { readonly minMs: number; readonly maxMs: number }
  readonly networkLatency: { readonly minMs: number; readonly maxMs: number }
  readonly buggify: boolean
}

export function drawPlan(seed: number, less: Less = {}): Plan {
  const without = new Set(less.without ?? [])
  const dice = new Dice(seed, 'plan')
  const isCalm = dice.chance(0.15)
  const topics = drawTopics(new Dice(seed, 'topics')).slice(0, less.topics)
  const faults = isCalm ? [] : drawFaults(new Dice(seed, 'faults'))
  return {
    seed,
    isCalm,
    safetyMs: dice.scale(4000, 20_000),
    settings: drawSettings(new Dice(seed, 'settings'), without.has('compaction')),
    topics,
    producers: drawProducers(new Dice(seed, 'producers'), less),
    groups: drawGroups(new Dice(seed, 'groups'), topics, { isCalm, less }),
    moves: drawMoves(new Dice(seed, 'moves'), isCalm).filter(({ kind }) => !without.has(kind)),
    faults: faults.filter(({ kind }) => !without.has(kind)),
    rots: false,
    restartMaxMs: dice.scale(10, 4000),
    driftPpm: without.has('drift') ? 0 : dice.pick([0, 0, 0, 500, -500]),
    diskLatency: { minMs: 0.05, maxMs: dice.scale(1, 60) },
    networkLatency: { minMs: 0.05, maxMs: dice.scale(1, 40) },
    buggify: dice.chance(0.5) && !without.has('buggify'),
  }
}

function drawTopics(dice: Dice): TopicPlan[] {
  return Array.from({ length: dice.pick([1, 1, 2, 3]) }, (_, index) => ({
    name: `topic-${index}`,
    partitions: dice.pick([1, 2, 3, 4, 8]),
  }))
}

function drawProducers(dice: Dice, less: Less): ProducerPlan[] {
  const plans = Array.from({ length: dice.between(1, 2) }, (_, index) => ({
    name: `p${index}`,
    options: {
      acks: 'all',
      idempotent: dice.chance(0.8),
      lingerMs: dice.pick([0, 5, 50]),
      deliveryTimeoutMs: dice.pick([2000, 20_000]),
      compression: dice.pick(['none', 'none', 'lz4', 'gzip'] as const),
    } as const,
    records: Math.min(dice.scale(20, 200), less.records ?? Number.POSITIVE_INFINITY),
    meanMs: dice.scale(10, 300),
    burst: dice.pick([1, 5, 40]),
  }))
  return plans.slice(0, less.producers)
}

function drawSettings(dice: Dice, keepsAll: boolean): Plan['settings'] {
  const compacts = dice.chance(0.2)
  const compaction = {
    'log.roll.ms': dice.scale(1000, 5000),
    'log.cleaner.backoff.ms': dice.pick([100, 1000]),
    'log.cleaner.min.cleanable.ratio': dice.pick([0, 0.1, 0.5]),
  }
  return {
    'group.consumer.session.timeout.ms': dice.pick([6000, 6000, 9000, 15_000]),
    'group.consumer.heartbeat.interval.ms': dice.pick([1000, 1000, 3000]),
    'group.consumer.assignment.interval.ms': dice.pick([0, 200, 1000, 3000]),
    'group.consumer.assignors': dice.pick(['sticky,range,roundrobin', 'range', 'roundrobin']),
    'offsets.topic.num.partitions': dice.pick([1, 1, 2, 5]),
    'max.requests.in.flight.per.connection': dice.pick([1, 5, 100]),
    'connections.max.idle.ms': dice.pick([5000, 600_000]),
    'shutdown.timeout.ms': dice.pick([2000, 30_000]),
    'log.retention.check.interval.ms': dice.scale(1000, 6000),
    ...(compacts && !keepsAll ? compaction : {}),
  }
}

function drawMoves(dice: Dice, isCalm: boolean): MovePlan[] {
  const kinds = dice.some(MEMBER_MOVES, dice.pick([0.3, 0.5, 0.7]))
  const moves = kinds.map((kind): MovePlan => ({ kind, meanMs: dice.scale(800, 12_000) }))
  if (dice.chance(0.4)) moves.push({ kind: LATE_COMMIT, meanMs: dice.scale(100, 2000) })
  return moves.filter(({ kind }) => !(isCalm && ROUGH.includes(kind)))
}

/** Members are enough to make trouble in one run of four. */
function drawFaults(dice: Dice): FaultPlan[] {
  if (dice.chance(0.25)) return []
  const kinds = dice.some(FAULT_KINDS, dice.pick([0.08, 0.15, 0.3]))
  return kinds.map((kind) => ({ kind, meanMs: dice.scale(1000, 15_000) }))
}
