// minikafka trace T: a record from send() to its consumer, timed room by room. Leaves: a table, a column per record.
import type { Consumer, Producer } from '@minikafka/client'
import { EXIT, Failure } from '../../failures.ts'
import { positive, wholeNumber } from '../../grammar/number.ts'
import { reachBroker } from '../../reach.ts'
import type { Session } from '../../session.ts'
import { type Column, printRows } from '../../table.ts'
import { UsageError } from '../../usage-error.ts'
import { type Room, roomsOf, type Traced } from './rooms.ts'
import { Stopwatch } from './stopwatch.ts'

export type TraceOptions = { count?: string; partition?: string; size?: string }

const COUNT = '3'
const COUNT_MAX = 100
/** In a table each record has a column. */
const COLUMNS_MAX = 5
const SIZE = '100'
const HEADER = 'minikafka-trace'
const POLL_MS = 1_000

export async function trace(session: Session, topic: string, options: TraceOptions): Promise<void> {
  const count = positive('-n', options.count ?? COUNT)
  const countMax = session.wantsJson ? COUNT_MAX : COLUMNS_MAX
  if (count > countMax)
    throw new UsageError(`-n ${count}: at most ${COLUMNS_MAX} in a table, ${COUNT_MAX} in -O jsonl`)
  const partition = wholeNumber('-p', options.partition ?? '0')
  const size = wholeNumber('--size', options.size ?? SIZE)
  await reachBroker(session)
  const { partitions } = await session.ask(session.admin.describeTopic(topic, session.wait))
  if (partition >= partitions.length)
    throw new UsageError(
      `-p ${partition}: ${topic} has the partitions 0 to ${partitions.length - 1}`,
    )
  const traced = await traceAll(session, { topic, partition }, count, size)
  await report(session, traced)
}

type Place = { readonly topic: string; readonly partition: number }

async function traceAll(
  session: Session,
  place: Place,
  count: number,
  size: number,
): Promise<Traced[]> {
  const consumer = session.client.consumer({ assign: [{ ...place, start: 'latest' }] })
  // Producer and consumer share nothing on the way: a fetch that waits holds no produce request up.
  const producer = session.another().producer()
  const stopwatch = new Stopwatch(session.env.clock, place.topic, place.partition)
  try {
    await session.ask(ready(session, consumer, place))
    const traced: Traced[] = []
    for (let i = 0; i < count; i++)
      traced.push(
        await session.ask(traceOne(session, { ...place, size }, producer, consumer, stopwatch)),
      )
    return traced
  } finally {
    stopwatch.stop()
  }
}

/** Reads from the end, and waits there. */
async function ready(session: Session, consumer: Consumer<string>, place: Place): Promise<void> {
  while (consumer.nextOffset(place) === undefined)
    await consumer.poll({ max: 1, maxWaitMs: 1, signal: session.signal })
}

async function traceOne(
  session: Session,
  { topic, partition, size }: Place & { readonly size: number },
  producer: Producer,
  consumer: Consumer<string>,
  stopwatch: Stopwatch,
): Promise<Traced> {
  const { clock, random } = session.env
  const id = random.uuid()
  const value = random.bytes(size)
  stopwatch.reset()
  const arriving = arrival(session, consumer, id, stopwatch)
  const sentMs = clock.monotonicMs()
  const headers: [string, string][] = [[HEADER, id]]
  const sending = producer.send(topic, { value, partition, headers }, session.wait)
  const [{ offset = -1 }] = await Promise.all([sending, arriving])
  return { topic, partition, offset, sentMs, ...stopwatch.laps }
}

/** Resolves when the record with that id is handed out. */
async function arrival(
  session: Session,
  consumer: Consumer<string>,
  id: string,
  stopwatch: Stopwatch,
): Promise<void> {
  const { clock } = session.env
  const endMs = clock.monotonicMs() + session.timeoutMs
  while (clock.monotonicMs() < endMs) {
    const records = await consumer.poll({ max: 100, maxWaitMs: POLL_MS, signal: session.signal })
    const nowMs = clock.monotonicMs()
    if (records.some(({ headers }) => headers.get(HEADER)?.toString() === id))
      return stopwatch.arrived(nowMs)
  }
  throw new Failure(`the record was not read within ${session.timeout}`, EXIT.timedOut)
}

async function report(session: Session, traced: readonly Traced[]): Promise<void> {
  if (session.wantsJson) {
    const found = traced.map((one) => {
      const { topic, partition, offset } = one
      return { topic, partition, offset, rooms: roomsOf(one) }
    })
    if (session.output === 'json') return session.print(`${JSON.stringify(found, null, 2)}\n`)
    for (const one of found) await session.print(`${JSON.stringify(one)}\n`)
    return
  }
  const columns = traced.map((one) => ({ title: `@${one.offset}`, rooms: roomsOf(one) }))
  const rows = (columns[0]?.rooms ?? []).map(({ room, by }, at) => ({
    ...{ room, by },
    times: columns.map(({ rooms }) => rooms[at] as Room),
  }))
  type Row = (typeof rows)[number]
  const times = columns.map(
    ({ title }, at): Column<Row> => ({
      title,
      of: (row) => msText(row.times[at]),
      right: true,
    }),
  )
  const table: Column<Row>[] = [
    { title: 'ROOM', of: ({ room }) => room },
    { title: 'CLOCK OF', of: ({ by }) => by },
    ...times,
  ]
  await printRows(session, rows, table, (row) => row)
  const { topic, partition } = traced[0] as Traced
  const first = traced.length > 1 ? '; the first one connects, too' : ''
  await session.say(`milliseconds, of records in ${topic}[${partition}]${first}`)
}

function msText(room: Room | undefined): string {
  return room?.ms === undefined ? '-' : room.ms.toFixed(3)
}
