// Topics that the brokers keep for themselves: clients neither write to them nor, unless an operator says so, read them.
// Enters: a partition that somebody asks for. Leaves: why not; undefined where nothing is in the way.
import type { Partition } from '../partition/index.ts'
import type { Rooms } from '../rooms.ts'

export const KEPT = 'TOPIC_AUTHORIZATION_FAILED'

export function keptFromWriting({ internal, topic }: Partition): string | undefined {
  if (!internal) return undefined
  return `${topic} is kept by the brokers for themselves: take a topic of your own; groups are changed with the group commands`
}

export function keptFromReading(
  { internal, topic }: Partition,
  { config }: Rooms,
): string | undefined {
  if (!internal || config.values['internal.topics.readable']) return undefined
  return (
    `${topic} is kept by the brokers for themselves: ask for groups with the group commands, ` +
    'or set internal.topics.readable=true on the brokers to look for a fault'
  )
}
