// One producer at work. Enters: its plan. Leaves: what was acknowledged, in the ledger.
import { isMinikafkaError, type Producer } from '@minikafka/client'
import { sleep } from '@minikafka/platform'
import { Dice } from '../stage/dice.ts'
import { openClient } from '../stage/open-client.ts'
import type { ProducerPlan } from './plan.ts'
import type { Stage } from './stage.ts'

const REQUEST_TIMEOUT_MS = 5000
const KEYS = 12

/** Resolves when all that it sent has an outcome and the client is closed. */
export async function produce(stage: Stage, plan: ProducerPlan): Promise<void> {
  const { world, topics } = stage
  const client = openClient(stage, plan.name, REQUEST_TIMEOUT_MS)
  const producer = client.producer(plan.options)
  const dice = new Dice(stage.plan.seed, `producing ${plan.name}`)
  const sends: Promise<void>[] = []
  for (let number = 0; number < plan.records && !stage.isHealing(); number++) {
    const key = `k${dice.below(KEYS)}`
    sends.push(sendOne(stage, producer, dice.pick(topics), `${plan.name}-${number}`, key))
    if (number % plan.burst < plan.burst - 1) continue
    await Promise.race([sleep(world.clock, dice.waitMs(plan.meanMs * plan.burst)), stage.healed])
  }
  await Promise.all(sends)
  await client.close()
}

async function sendOne(
  { ledger, timeline, onAck }: Stage,
  producer: Producer,
  topic: string,
  id: string,
  key: string,
): Promise<void> {
  try {
    const { partition, offset } = await producer.send(topic, { key, value: id })
    if (offset === undefined) return
    ledger.acked({ topic, partition, offset }, id)
    timeline.count('acked')
    for (const listener of [...onAck]) listener()
  } catch (error) {
    if (!isMinikafkaError(error)) throw error
    timeline.count(error.outcome === 'not-written' ? 'not-written' : 'unknown')
  }
}
