// An administrator at work beside producers and consumers. What it began it brings to an end, also after the faults.
// Enters: which kinds of work, how often. Leaves: what may be gone since, in the ledger.
import { type Admin, isMinikafkaError } from '@minikafka/client'
import { sleep } from '@minikafka/platform'
import { Dice } from '../stage/dice.ts'
import { openClient } from '../stage/open-client.ts'
import type { AdminKind } from './client-plans.ts'
import type { Stage } from './stage.ts'
import type { TopicPlan } from './topic-plans.ts'

const WAIT = { timeoutMs: 5000 }
const RETRY_MS = 250

export async function createTopics(stage: Stage): Promise<void> {
  await using client = openClient(stage, 'admin', 3000)
  for (const topic of stage.plan.topics) await create(stage, client.admin(), topic)
}

/** Resolves when the faults are over and nothing is half done. */
export async function administer(stage: Stage, kind: AdminKind, meanMs: number): Promise<void> {
  const { world, plan, timeline, isHealing, healed } = stage
  const node = `admin-${kind}`
  const client = openClient(stage, node, 3000)
  const dice = new Dice(plan.seed, `administering ${kind}`)
  const admin = client.admin()
  for (;;) {
    await Promise.race([sleep(world.clock, dice.waitMs(meanMs)), healed])
    if (isHealing()) break
    const topic = dice.pick(plan.topics)
    try {
      timeline.add(node, topic.name)
      timeline.count(`admin ${kind}`)
      for (const listener of [...stage.onAdmin]) listener()
      await work[kind](stage, admin, topic, dice)
    } catch (error) {
      if (!isMinikafkaError(error)) throw error
      timeline.add(node, `${error.name}: ${error.message.slice(0, 120)}`)
    }
  }
  await client.close()
}

type Work = (stage: Stage, admin: Admin, topic: TopicPlan, dice: Dice) => Promise<void>

const work: Readonly<Record<AdminKind, Work>> = {
  'delete-records': async ({ ledger, daemon }, admin, { name }, dice) => {
    const partitions = daemon.broker?.partitions().filter(({ topic }) => topic === name) ?? []
    if (partitions.length === 0) return
    const { partition, logStartOffset, highWatermark } = dice.pick(partitions)
    const before = dice.chance(0.2) ? -1 : dice.between(logStartOffset, highWatermark)
    ledger.life(name).mayShrink = true
    await admin.deleteRecords(name, { [partition]: before }, WAIT)
  },
  'recreate-topic': async (stage, admin, topic) => {
    const life = stage.ledger.life(topic.name)
    const { clock } = stage.world
    life.deletedMs = clock.monotonicMs()
    life.madeMs = Number.POSITIVE_INFINITY
    await untilDone(stage, () => admin.deleteTopic(topic.name, { ifExists: true }, WAIT))
    await create(stage, admin, topic)
    life.madeMs = clock.monotonicMs()
  },
  'alter-topic': async (_stage, admin, { name }, dice) => {
    const set = {
      'segment.bytes': dice.pick([4096, 16_384, 2 ** 20]),
      'flush.ms': dice.scale(20, 3000),
      'file.delete.delay.ms': dice.pick([0, 1000, 60_000]),
    }
    await admin.alterTopic(name, { set }, WAIT)
  },
  'add-partitions': async (_stage, admin, { name }, dice) => {
    const { partitions } = await admin.describeTopic(name, WAIT)
    if (partitions.length < 20)
      await admin.addPartitions(name, partitions.length + dice.between(1, 2), {}, WAIT)
  },
  'list-offsets': async (_stage, admin, { name }, dice) => {
    await admin.offsets(name, dice.pick(['earliest', 'latest', { last: 3 }] as const), WAIT)
  },
}

async function create(
  stage: Stage,
  admin: Admin,
  { name, partitions, config }: TopicPlan,
): Promise<void> {
  await untilDone(stage, () =>
    admin.createTopic(name, { partitions, config, ifNotExists: true }, WAIT),
  )
}

/** Whatever comes between: a topic that is half there would make all that follows a matter of luck. */
async function untilDone({ world, timeline }: Stage, what: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await what()
      return
    } catch (error) {
      if (!isMinikafkaError(error)) throw error
      timeline.add('admin', `${error.name}: ${error.message.slice(0, 120)}`)
      await sleep(world.clock, RETRY_MS)
    }
  }
}
