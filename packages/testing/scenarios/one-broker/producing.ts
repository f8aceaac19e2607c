// One producer at work: it never waits for an answer before the next record, up to its bound.
// Enters: its plan. Leaves: every record's outcome in the ledger.
import { isMinikafkaError, type Producer } from '@minikafka/client'
import { sleep } from '@minikafka/platform'
import { Dice } from './dice.ts'
import type { Sent } from './ledger.ts'
import { openClient } from './open-client.ts'
import { type ProducerPlan, recordOf } from './producer-plans.ts'
import type { Stage } from './stage.ts'

/** Resolves when all that it sent has an outcome and the client is closed. */
export async function produce(stage: Stage, plan: ProducerPlan): Promise<void> {
  const { world } = stage
  const client = openClient(stage, plan.name, plan.requestTimeoutMs)
  const producer = client.producer(plan.options)
  const dice = new Dice(stage.plan.seed, `producing ${plan.name}`)
  const open = new Set<Promise<void>>()
  for (let number = 0; number < plan.records && !stage.isHealing(); number++) {
    while (open.size >= plan.outstandingMax && !stage.isHealing())
      await Promise.race([...open, stage.healed])
    const sending: Promise<void> = sendOne(
      stage,
      producer,
      plan,
      dice.pick(plan.topics),
      number,
    ).finally(() => open.delete(sending))
    open.add(sending)
    if (number % plan.burst === plan.burst - 1)
      await sleep(world.clock, dice.waitMs(plan.meanMs * plan.burst))
  }
  await Promise.all(open)
  await client.close()
}

async function sendOne(
  { ledger, timeline }: Stage,
  producer: Producer,
  plan: ProducerPlan,
  topic: string,
  number: number,
): Promise<void> {
  const idempotent = plan.options.idempotent === true
  const id = `${plan.name}-${number}`
  const sent = ledger.sends({ id, topic, number, producer: plan.name, idempotent })
  try {
    const { partition, offset } = await producer.send(topic, recordOf(id))
    ledger.acked(sent, partition, offset)
    timeline.count('acked')
  } catch (error) {
    failed(ledger, timeline, sent, error)
  }
}

function failed(ledger: Stage['ledger'], timeline: Stage['timeline'], sent: Sent, error: unknown) {
  if (!isMinikafkaError(error)) throw error
  const isDefinite = error.outcome === 'not-written'
  ledger.failed(sent, isDefinite)
  timeline.count(isDefinite ? 'not-written' : 'unknown')
  timeline.add(
    sent.producer,
    `${sent.id} to ${sent.topic}: ${error.name}, ${error.outcome ?? 'no outcome told'}`,
  )
}
