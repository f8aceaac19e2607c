// One producer at work: it never waits for an answer before the next record, up to its bound.
// Enters: its plan. Leaves: every record's outcome in the ledger.
import { isMinikafkaError, type Producer } from '@minikafka/client'
import { sleep } from '@minikafka/platform'
import { BROKER } from '../stage/daemon.ts'
import { Dice } from '../stage/dice.ts'
import { openClient } from '../stage/open-client.ts'
import { Violation } from '../stage/violation.ts'
import { checkAcknowledged } from './acknowledging.ts'
import type { Sent } from './ledger.ts'
import { type ProducerPlan, recordOf } from './producer-plans.ts'
import type { Stage } from './stage.ts'

/** What no idempotent producer hears whose place was kept through every crash. */
const ABOUT_SEQUENCES = [
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
]

/** Resolves when all that it sent has an outcome and the client is closed. */
export async function produce(stage: Stage, plan: ProducerPlan): Promise<void> {
  const { world } = stage
  if (plan.bytesPerSecond !== undefined)
    world.network.throttle(plan.name, BROKER, plan.bytesPerSecond)
  const client = openClient(stage, plan.name, plan.requestTimeoutMs)
  const producer = client.producer(plan.options)
  const dice = new Dice(stage.plan.seed, `producing ${plan.name}`)
  const sends = new OpenSends()
  for (let number = 0; number < plan.records && !stage.isHealing(); number++) {
    while (sends.count >= plan.outstandingMax && !stage.isHealing())
      await Promise.race([sends.oneSettled(), stage.healed])
    sends.add(sendOne(stage, producer, plan, dice.pick(plan.topics), number))
    if (number % plan.burst === plan.burst - 1)
      await sleep(world.clock, dice.waitMs(plan.meanMs * plan.burst))
    sends.throwFailure()
  }
  await sends.allSettled()
  sends.throwFailure()
  await client.close()
}

/** Sends under way. A broken promise among them is thrown where the producer goes on. */
class OpenSends {
  readonly #open = new Set<Promise<void>>()
  readonly #failures: unknown[] = []

  get count(): number {
    return this.#open.size
  }

  add(send: Promise<void>): void {
    const settled: Promise<void> = send
      .catch((error: unknown) => {
        this.#failures.push(error)
      })
      .finally(() => this.#open.delete(settled))
    this.#open.add(settled)
  }

  async oneSettled(): Promise<void> {
    await Promise.race(this.#open)
  }

  async allSettled(): Promise<void> {
    await Promise.all(this.#open)
  }

  throwFailure(): void {
    if (this.#failures.length > 0) throw this.#failures[0]
  }
}

async function sendOne(
  stage: Stage,
  producer: Producer,
  plan: ProducerPlan,
  topic: string,
  number: number,
): Promise<void> {
  const { ledger, timeline } = stage
  const idempotent = plan.options.idempotent === true
  const id = `${plan.name}-${number}`
  const sent = ledger.sends({ id, topic, number, producer: plan.name, idempotent })
  try {
    const { partition, offset } = await producer.send(topic, recordOf(id, topic))
    ledger.acked(sent, partition, offset)
    timeline.count('acked')
  } catch (error) {
    failed(stage, sent, error)
    return
  }
  if (sent.state === 'acked' && plan.options.acks !== 'none') checkAcknowledged(stage, sent)
}

function failed(stage: Stage, sent: Sent, error: unknown) {
  if (!isMinikafkaError(error)) throw error
  const { ledger, timeline } = stage
  if (ABOUT_SEQUENCES.includes(error.name) && !mayForget(stage, sent))
    throw new Violation(
      'I10',
      `${sent.id} to ${sent.topic}: ${error.name}: ${error.message}; nothing was lost that its producer is known by`,
    )
  const isDefinite = error.outcome === 'not-written'
  ledger.failed(sent, isDefinite)
  timeline.count(isDefinite ? 'not-written' : 'unknown')
  timeline.add(
    sent.producer,
    `${sent.id} to ${sent.topic}: ${error.name}, ${error.outcome ?? 'no outcome told'}`,
  )
}

/**
 * Records are lost or deleted with the topic; a failed write took more than a producer has in flight; or an earlier record
 * of the producer failed, so that what it had sent behind has a gap before it.
 */
function mayForget({ ledger, plan }: Stage, { topic, producer, number }: Sent): boolean {
  const life = ledger.life(topic)
  const isFull = plan.faults.some(({ kind }) => kind === 'fill')
  if (isFull || plan.rots || life.cuts.length > 0 || life.deletedMs > Number.NEGATIVE_INFINITY)
    return true
  for (let before = number - 1; before >= 0; before--) {
    const state = ledger.sent.get(`${producer}-${before}`)?.state
    if (state === 'maybe' || state === 'not-written') return true
  }
  return false
}
