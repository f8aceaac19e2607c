// The topics of one seed: how they are kept, and so what a run may ask of them.
import type { Dice } from '../stage/dice.ts'

export type Flush = 'group' | 'interval' | 'os'

export type TopicPlan = {
  readonly name: string
  readonly partitions: number
  readonly flush: Flush
  readonly flushMs: number
  readonly config: Readonly<Record<string, string | number>>
}

const HOUR_MS = 3_600_000

export function drawTopics(dice: Dice): TopicPlan[] {
  return Array.from({ length: dice.pick([1, 1, 2, 3]) }, (_, index) => drawTopic(dice, index))
}

function drawTopic(dice: Dice, index: number): TopicPlan {
  const flush = dice.pick(['group', 'group', 'group', 'interval', 'os'] as const)
  const flushMs = dice.scale(20, 3000)
  const config: Record<string, string | number> = {
    flush,
    'flush.ms': flushMs,
    'segment.bytes': dice.pick([4096, 4096, 16_384, 65_536, 2 ** 20]),
    'message.timestamp.type': dice.pick(['CreateTime', 'CreateTime', 'LogAppendTime']),
    'file.delete.delay.ms': dice.pick([0, 200, 60_000]),
    'max.message.bytes': dice.pick([2048, 16_384, 2 ** 20]),
    ...drawRetention(dice),
  }
  return {
    name: `topic-${index}`,
    partitions: dice.pick([1, 1, 2, 4, 12]),
    flush,
    flushMs,
    config,
  }
}

/** Begins the names of topics of which each key keeps its last record alone. */
const COMPACTED = 'compacted'

/** By its name, for records must have keys there, and are made again from where they went. */
export function isCompacted(topic: string): boolean {
  return topic.startsWith(COMPACTED)
}

/** One topic in four, drawn apart so that it changes no other draw. */
export function drawCompaction(dice: Dice, topics: readonly TopicPlan[]): TopicPlan[] {
  return topics.map((topic, index) => {
    if (!dice.chance(0.25)) return topic
    const config = {
      ...topic.config,
      'cleanup.policy': dice.pick(['compact', 'compact', 'compact,delete']),
      'min.cleanable.dirty.ratio': dice.pick([0, 0.1, 0.5]),
      'max.compaction.lag.ms': dice.pick([-1, 500, 5000]),
      'min.compaction.lag.ms': dice.pick([0, 0, 300]),
    }
    return { ...topic, name: `${COMPACTED}-${index}`, config }
  })
}

/** Mostly nothing goes by itself: what is gone cannot be checked. */
function drawRetention(dice: Dice): Record<string, number> {
  const kind = dice.below(7)
  if (kind === 0) return { 'retention.bytes': dice.scale(4096, 200_000) }
  if (kind === 1) return { 'retention.ms': dice.scale(500, 60_000), 'segment.ms': 1000 }
  if (kind <= 5) return { 'retention.ms': 3 * HOUR_MS }
  return { 'retention.ms': -1 }
}
