// minikafka verifiable-producer: numbers as values, an event for each. Source: Kafka's VerifiableProducer.
import { isMinikafkaError, type Producer } from '@minikafka/client'
import { textOf } from '../../endings.ts'
import { Failure } from '../../failures.ts'
import { positive, wholeNumber } from '../../grammar/number.ts'
import { Pace } from '../../pace.ts'
import { reachBroker } from '../../reach.ts'
import type { Session } from '../../session.ts'
import { acksOf } from '../produce-options.ts'
import { boundOf, Events } from './events.ts'

export type Options = {
  topic: string
  maxMessages?: string
  throughput?: string
  acks?: string
  valuePrefix?: string
  repeatingKeys?: string
  messageCreateTime?: string
}

/** Sent and not yet acknowledged. */
const WAITING_MAX = 1_000

export async function verifiableProducer(session: Session, options: Options): Promise<void> {
  const countMax = boundOf('--max-messages', options.maxMessages)
  const perSecond = boundOf('--throughput', options.throughput)
  const recordOf = recordsOf(session, options)
  const producer = session.client.producer({
    ...session.partOptions,
    acks: acksOf(options.acks ?? '-1'),
  })
  await reachBroker(session)
  const { clock } = session.env
  const beganMs = clock.monotonicMs()
  const run = new Sends(session, producer, options.topic)
  run.events.tell('startup_complete')
  const pace = new Pace(session.env, Number.isFinite(perSecond) ? 1000 / perSecond : 0)
  for (; run.sent < countMax && !session.signal.aborted; ) {
    // A signal ends the wait; what is in hand is finished below.
    await pace.turn(session.signal)?.catch(() => undefined)
    if (session.signal.aborted) break
    await run.put(recordOf(run.sent))
  }
  await run.settled()
  run.events.tell('shutdown_complete')
  const seconds = (clock.monotonicMs() - beganMs) / 1000
  run.events.tell('tool_data', {
    ...{ sent: run.sent, acked: run.acked },
    target_throughput: Number.isFinite(perSecond) ? perSecond : -1,
    avg_throughput: seconds === 0 ? 0 : run.acked / seconds,
  })
  await run.events.printed()
  judge(run, countMax)
}

function judge({ sent, acked }: Sends, countMax: number): void {
  if (acked < sent) throw new Failure(`${sent - acked} of ${sent} records failed`)
  if (Number.isFinite(countMax) && sent < countMax)
    throw new Failure(`stopped before the end: ${sent} of ${countMax} records`)
}

type Numbered = { readonly key: string | null; readonly value: string; readonly timestamp?: number }

function recordsOf({ env }: Session, options: Options): (number: number) => Numbered {
  const { valuePrefix, repeatingKeys, messageCreateTime } = options
  const prefix = valuePrefix === undefined ? '' : `${wholeNumber('--value-prefix', valuePrefix)}.`
  const keys = repeatingKeys === undefined ? 0 : positive('--repeating-keys', repeatingKeys)
  const beganMs = env.clock.monotonicMs()
  const createMs =
    messageCreateTime === undefined || messageCreateTime === '-1'
      ? undefined
      : wholeNumber('--message-create-time', messageCreateTime)
  return (number) => ({
    key: keys === 0 ? null : String(number % keys),
    value: `${prefix}${number}`,
    ...(createMs === undefined
      ? {}
      : { timestamp: createMs + Math.round(env.clock.monotonicMs() - beganMs) }),
  })
}

class Sends {
  sent = 0
  acked = 0
  readonly events: Events
  readonly #producer: Producer
  readonly #topic: string
  readonly #waiting = new Set<Promise<void>>()

  constructor(session: Session, producer: Producer, topic: string) {
    this.events = new Events(session)
    this.#producer = producer
    this.#topic = topic
  }

  /** Waits where too many are under way, or where nobody takes the events. */
  async put(record: Numbered): Promise<void> {
    this.sent++
    const settled = this.#send(record).finally(() => this.#waiting.delete(settled))
    this.#waiting.add(settled)
    if (this.#waiting.size < WAITING_MAX) return
    const [oldest] = this.#waiting
    await oldest
    await this.events.printed()
  }

  async settled(): Promise<void> {
    await Promise.all(this.#waiting)
  }

  async #send(record: Numbered): Promise<void> {
    const { key, value } = record
    const topic = this.#topic
    try {
      const { partition, offset } = await this.#producer.send(topic, record)
      this.acked++
      this.events.tell('producer_send_success', {
        key,
        value,
        topic,
        partition,
        offset: offset ?? -1,
      })
    } catch (error) {
      const exception = isMinikafkaError(error) ? error.name : String(error)
      this.events.tell('producer_send_error', {
        ...{ topic, key, value, exception },
        message: textOf(error),
      })
    }
  }
}
