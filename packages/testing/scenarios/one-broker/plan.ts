// What one seed does: settings, clients and faults, drawn whole before the world begins. A seed takes a random part of
// everything there is, because all of it at once hides bugs (swarm testing; TESTING, "Swarm").
// Enters: a seed, and what shall be left out of it. Leaves: data, the same each time.

import { Dice } from '../stage/dice.ts'
import { BEYOND_TOLERANCE, FAULT_KINDS, type FaultPlan } from '../stage/fault-kinds.ts'
import type { Less } from '../stage/outcome.ts'
import { type AdminKind, adminKinds, type ConsumerPlan, drawConsumers } from './client-plans.ts'
import { drawProducers, type ProducerPlan } from './producer-plans.ts'
import { drawCompaction, drawTopics, type TopicPlan } from './topic-plans.ts'

export type Plan = {
  readonly seed: number
  /** How long the faults rage. */
  readonly safetyMs: number
  readonly settings: Readonly<Record<string, string | number>>
  readonly topics: readonly TopicPlan[]
  readonly producers: readonly ProducerPlan[]
  readonly consumers: readonly ConsumerPlan[]
  readonly admin: readonly { readonly kind: AdminKind; readonly meanMs: number }[]
  readonly faults: readonly FaultPlan[]
  /** A dead broker is started again within this time. */
  readonly restartMaxMs: number
  /** Records may become unreadable: what is asked is that the broker says so. */
  readonly rots: boolean
  /** How fast or slow time runs for the broker. */
  readonly driftPpm: number
  /** Mean time between two lies of a client; undefined: all tell the truth. */
  readonly lieMs: number | undefined
  readonly diskLatency: { readonly minMs: number; readonly maxMs: number }
  readonly networkLatency: { readonly minMs: number; readonly maxMs: number }
  readonly buggify: boolean
}

export const NOTHING_LESS: Less = {}

export function drawPlan(seed: number, less: Less = NOTHING_LESS): Plan {
  const without = new Set(less.without ?? [])
  const dice = new Dice(seed, 'plan')
  const drawn = drawTopics(new Dice(seed, 'topics')).slice(0, less.topics)
  const topics = without.has('compaction')
    ? drawn
    : drawCompaction(new Dice(seed, 'compaction'), drawn)
  const producers = drawProducers(new Dice(seed, 'producers'), topics, less)
  const faults = drawFaults(new Dice(seed, 'faults')).filter(({ kind }) => !without.has(kind))
  const consumers = without.has('consumers')
    ? []
    : drawConsumers(new Dice(seed, 'consumers'), topics)
  return {
    seed,
    safetyMs: dice.scale(2000, 15_000),
    settings: drawSettings(new Dice(seed, 'settings')),
    topics,
    producers,
    consumers,
    admin: drawAdmin(new Dice(seed, 'admin')).filter(({ kind }) => !without.has(kind)),
    faults,
    rots: faults.some(({ kind }) => kind === 'rot'),
    driftPpm: without.has('drift') ? 0 : dice.pick([0, 0, 0, 500, -500]),
    lieMs: dice.chance(0.25) && !without.has('lies') ? dice.scale(200, 4000) : undefined,
    restartMaxMs: dice.scale(10, 4000),
    diskLatency: { minMs: 0.05, maxMs: dice.scale(1, 60) },
    networkLatency: { minMs: 0.05, maxMs: dice.scale(1, 40) },
    buggify: dice.chance(0.5) && !without.has('buggify'),
  }
}

function drawSettings(dice: Dice): Plan['settings'] {
  return {
    'memory.max.bytes': dice.chance(0.5) ? 64 * 2 ** 20 : 256 * 2 ** 20,
    'log.files.open.max': dice.chance(0.5) ? 16 : 1024,
    'log.retention.check.interval.ms': dice.scale(1000, 6000),
    'log.segment.delete.delay.ms': dice.pick([0, 100, 5000]),
    'max.requests.in.flight.per.connection': dice.pick([1, 5, 100]),
    'disk.reserve.bytes': dice.pick([0, 4096, 65_536]),
    'connections.max.idle.ms': dice.pick([5000, 600_000]),
    'shutdown.timeout.ms': dice.pick([2000, 30_000]),
    'log.cleaner.backoff.ms': dice.pick([100, 1000, 5000]),
    'log.cleaner.io.max.bytes.per.second': dice.pick([65_536, 2 ** 20, 2 ** 30]),
  }
}

function drawAdmin(dice: Dice): Plan['admin'] {
  if (dice.chance(0.3)) return []
  return dice.some(adminKinds, 0.35).map((kind) => ({ kind, meanMs: dice.scale(500, 8000) }))
}

/** One run in ten has no fault at all: what fails then is no matter of luck. */
function drawFaults(dice: Dice): FaultPlan[] {
  if (dice.chance(0.1)) return []
  const probability = dice.pick([0.12, 0.25, 0.4])
  const kinds = [...dice.some(FAULT_KINDS, probability), ...dice.some(BEYOND_TOLERANCE, 0.15)]
  return kinds.map((kind) => ({ kind, meanMs: dice.scale(300, 8000) }))
}
