// minikafka produce T [value…]: values of the command line, lines of stdin, a file, JSON lines.
import type { ProducerOptions } from '@minikafka/client'
import { codeOf, isBrokenPipe, textOf } from '../endings.ts'
import { BadInput, Failure } from '../failures.ts'
import { watchLinks } from '../link-watch.ts'
import { reachBroker } from '../reach.ts'
import type { Session } from '../session.ts'
import { UsageError } from '../usage-error.ts'
import { NO_INPUT, openInput } from './produce-input.ts'
import { type ProduceOptions, type ProducePlan, planOf } from './produce-options.ts'
import { openSender, type Sender } from './produce-senders.ts'
import { Production } from './production.ts'

export async function produce(
  session: Session,
  topic: string,
  values: readonly string[],
  options: ProduceOptions,
): Promise<void> {
  if (values.length > 0 && options.file !== undefined)
    throw new UsageError('give values or --file, not both')
  const plan = planOf(values, options)
  const producer = session.client.producer(producerOptions(session, plan))
  const sender = openSender(session, producer, topic)
  const forget = watchLinks(session, () => sender.sent > sender.acknowledged())
  let isWhole = false
  let failure: unknown
  try {
    const stop = AbortSignal.any([session.signal, sender.failed])
    const input = values.length > 0 ? NO_INPUT : await openInput(session, options, stop)
    await reachBroker(session)
    isWhole = await new Production(session, plan, sender, stop).run(input)
  } catch (error) {
    failure = error
  }
  // Whatever ended the input: what was sent is in hand, and is finished.
  await sender.finish()
  forget()
  const stated = values.length > 0 || options.file !== undefined || options.count !== undefined
  const isUndone = stated && !isWhole
  await report(session, topic, sender, { isUndone, failure: failure ?? sender.failed.reason })
}

function producerOptions({ hasTimeout, timeoutMs, partOptions }: Session, plan: ProducePlan) {
  const bounded = hasTimeout ? { deliveryTimeoutMs: Math.max(1, Math.ceil(timeoutMs)) } : {}
  return { ...bounded, ...partOptions, ...plan.producer } as ProducerOptions
}

async function report(
  session: Session,
  topic: string,
  sender: Sender,
  { isUndone, failure }: { isUndone: boolean; failure: unknown },
): Promise<void> {
  const produced = sender.acknowledged()
  if (failure !== undefined && isBrokenPipe(failure)) throw failure
  if (failure !== undefined && failure !== session.signal.reason) {
    const before = tellOf(sender, failure, produced)
    throw new Failure(`${textOf(failure)}${before}`, codeOf(failure), { cause: failure })
  }
  if (isUndone) throw new Failure(`stopped before the end: ${records(produced)} produced`)
  await session.say(`produced ${produced} ${produced === 1 ? 'record' : 'records'} to ${topic}`)
}

/** What became of the other records. */
function tellOf({ failed, sent }: Sender, failure: unknown, produced: number): string {
  if (failure instanceof BadInput) return `; ${records(produced)} produced before it`
  return failed.aborted && sent > 1 ? `; ${produced} of ${sent} records were produced` : ''
}

function records(count: number): string {
  return count === 1 ? '1 record was' : `${count} records were`
}
