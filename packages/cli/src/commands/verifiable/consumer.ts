// minikafka verifiable-consumer: a member of a group that tells all it does. Source: Kafka's VerifiableConsumer.
import type { Consumer, ConsumerRecord, ConsumerTuning, Start } from '@minikafka/client'
import { textOf } from '../../endings.ts'
import { Failure } from '../../failures.ts'
import { reachBroker } from '../../reach.ts'
import type { Session } from '../../session.ts'
import { UsageError } from '../../usage-error.ts'
import { boundOf, Events } from './events.ts'

export type Options = {
  topic: string
  groupId: string
  groupInstanceId?: string
  maxMessages?: string
  resetPolicy?: string
  enableAutocommit?: boolean
}

type Records = readonly ConsumerRecord<string>[]

const STARTS: ReadonlyMap<string, Start> = new Map([
  ['earliest', 'earliest'],
  ['latest', 'latest'],
  ['none', 'error'],
])
const POLL_MAX = 500
const POLL_MS = 1_000

export async function verifiableConsumer(session: Session, options: Options): Promise<void> {
  const countMax = boundOf('--max-messages', options.maxMessages)
  const start = startOf(options.resetPolicy ?? 'earliest')
  const events = new Events(session)
  await reachBroker(session)
  events.tell('startup_complete')
  const consumer = session.client.consumer({
    ...(session.partOptions as ConsumerTuning),
    ...{ group: options.groupId, topics: [options.topic], start },
    ...(options.groupInstanceId === undefined ? {} : { instanceId: options.groupInstanceId }),
    commit: options.enableAutocommit ? 'processed' : 'manual',
  })
  consumer.on('assigned', (partitions) => events.tell('partitions_assigned', { partitions }))
  consumer.on('revoked', (partitions) => events.tell('partitions_revoked', { partitions }))
  consumer.on('lost', (partitions) => events.tell('partitions_revoked', { partitions }))
  let count = 0
  try {
    while (count < countMax && !session.signal.aborted) {
      const max = Math.min(POLL_MAX, countMax - count)
      const records = await polled(session, consumer, max)
      count += records.length
      if (session.verbose > 0) for (const record of records) tellRecord(events, record)
      if (records.length > 0) await handle(consumer, records, events, options)
    }
  } finally {
    await consumer.close()
    events.tell('shutdown_complete')
    await events.printed()
  }
  if (Number.isFinite(countMax) && count < countMax)
    throw new Failure(`stopped before the end: ${count} of ${countMax} records`)
}

function startOf(policy: string): Start {
  const start = STARTS.get(policy)
  if (start === undefined)
    throw new UsageError(`--reset-policy ${policy}: expected ${[...STARTS.keys()].join(', ')}`)
  return start
}

/** Nothing where a signal ended the wait. */
async function polled(
  { signal }: Session,
  consumer: Consumer<string>,
  max: number,
): Promise<Records> {
  try {
    return await consumer.poll({ max, maxWaitMs: POLL_MS, signal })
  } catch (error) {
    if (signal.aborted) return []
    throw error
  }
}

async function handle(
  consumer: Consumer<string>,
  records: Records,
  events: Events,
  { enableAutocommit }: Options,
): Promise<void> {
  const partitions = summaries(records)
  events.tell('records_consumed', { count: records.length, partitions })
  if (enableAutocommit) return
  const offsets = partitions.map(({ topic, partition, maxOffset }) => ({
    ...{ topic, partition, offset: maxOffset + 1 },
  }))
  const failure = await consumer.commit(records).then(
    () => undefined,
    (error: unknown) => ({ error: textOf(error) }),
  )
  events.tell('offsets_committed', { offsets, ...failure, success: failure === undefined })
  // Whoever reads the events sets the pace.
  await events.printed()
}

function tellRecord(events: Events, record: ConsumerRecord<string>): void {
  const { topic, partition, offset, key, value } = record
  events.tell('record_data', {
    ...{ key: key?.toString() ?? null, value: value?.toString() ?? null },
    ...{ topic, partition, offset },
  })
}

function summaries(records: Records) {
  const byPartition = new Map<string, ConsumerRecord<string>[]>()
  for (const record of records) {
    const name = `${record.topic}-${record.partition}`
    const known = byPartition.get(name)
    if (known === undefined) byPartition.set(name, [record])
    else known.push(record)
  }
  return [...byPartition.values()].map((some) => {
    const { topic, partition, offset: minOffset } = some[0] as ConsumerRecord<string>
    const maxOffset = some.at(-1)?.offset ?? minOffset
    return { topic, partition, count: some.length, minOffset, maxOffset }
  })
}
