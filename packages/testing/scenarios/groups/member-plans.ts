// The groups of one seed and their members: what each of them reads, in which mode, how it commits, how it behaves.
import type { ConsumerOptions } from '@minikafka/client'
import type { Dice } from '../stage/dice.ts'
import type { Less } from '../stage/outcome.ts'
import type { TopicPlan } from './plan.ts'

export type MemberPlan = {
  /** Of its node, and of its client. */
  readonly name: string
  readonly mode: 'run' | 'loop' | 'poll' | 'batches'
  readonly concurrency: number
  readonly order: 'partition' | 'key' | 'none'
  readonly options: Pick<
    ConsumerOptions<string>,
    'commit' | 'commitIntervalMs' | 'rebalanceTimeoutMs' | 'maxProcessingMs' | 'fetchMaxWaitMs'
  > & { readonly instanceId: string | undefined }
  readonly requestTimeoutMs: number
  readonly joinsAfterMs: number
  /** Finishes records by ack() before the loop asks for more. */
  readonly acks: boolean
  /** Its handlers let go when their partition is taken away. */
  readonly letsGo: boolean
  readonly handlerMs: number
  /** Of its handlers: some take very long, some throw. */
  readonly slowShare: number
  readonly throwShare: number
  /** What a handler that threw means: tried again, or the end of run(). */
  readonly stops: boolean
  readonly hookMs: number
  readonly closeTimeoutMs: number
  /** Leaves by close() alone, while its loop is at work. */
  readonly closesAtOnce: boolean
}

export type GroupPlan = {
  readonly name: string
  /** undefined: those that the pattern matches. */
  readonly topics: readonly string[] | undefined
  readonly pattern: string | undefined
  readonly members: readonly MemberPlan[]
}

type Mood = { readonly isCalm: boolean; readonly less: Less }

const ALL_TOPICS = '(topic|late)-.*'

export function drawGroups(dice: Dice, topics: readonly TopicPlan[], mood: Mood): GroupPlan[] {
  return Array.from({ length: dice.pick([1, 1, 1, 2]) }, (_, index) => {
    const some = dice.some(topics, 0.7).map(({ name }) => name)
    const names = some.length > 0 ? some : topics.map(({ name }) => name)
    const isPattern = dice.chance(0.4)
    const count = dice.pick([1, 2, 2, 3, 3, 4, 5])
    const members = Array.from({ length: count }, (_, number) =>
      drawMember(dice, `g${index}m${number}`, mood),
    )
    return {
      name: `group-${index}`,
      topics: isPattern ? undefined : names,
      pattern: isPattern ? ALL_TOPICS : undefined,
      members: members.slice(0, mood.less.members),
    }
  })
}

function drawMember(dice: Dice, name: string, { isCalm }: Mood): MemberPlan {
  const mode = dice.pick(['run', 'run', 'run', 'loop', 'poll', 'batches'] as const)
  const order = dice.pick(['partition', 'key', 'none'] as const)
  // Others overtake what is tried again, and do not wait for it when they have to go.
  const mayThrow = order === 'partition' || !isCalm
  return {
    ...{ name, mode, order },
    concurrency: dice.pick([1, 1, 2, 4, 16]),
    options: drawOptions(dice, name, isCalm),
    requestTimeoutMs: dice.pick([1000, 3000, 10_000]),
    joinsAfterMs: dice.chance(0.5) ? 0 : dice.scale(100, 15_000),
    acks: dice.chance(0.5),
    letsGo: dice.chance(0.3) && !isCalm,
    handlerMs: dice.pick([0, 1, 10, 60]),
    slowShare: dice.chance(0.3) ? 0.02 : 0,
    throwShare: dice.chance(0.3) && mayThrow ? 0.05 : 0,
    stops: dice.chance(0.4) && !isCalm,
    hookMs: dice.pick([0, 0, 20, 1000]),
    closeTimeoutMs: dice.chance(0.2) && !isCalm ? 1000 : 60_000,
    closesAtOnce: mode !== 'poll' && dice.chance(0.5),
  }
}

function drawOptions(dice: Dice, name: string, isCalm: boolean): MemberPlan['options'] {
  return {
    commit: dice.pick(['processed', 'processed', 'manual'] as const),
    commitIntervalMs: dice.scale(100, 3000),
    rebalanceTimeoutMs: isCalm ? 120_000 : dice.pick([2000, 20_000, 120_000]),
    maxProcessingMs: dice.chance(0.15) && !isCalm ? dice.scale(500, 4000) : undefined,
    fetchMaxWaitMs: dice.pick([500, 2000, 5000]),
    instanceId: dice.chance(0.25) ? `static-${name}` : undefined,
  }
}
