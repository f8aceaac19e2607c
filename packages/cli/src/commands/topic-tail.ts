// minikafka topic tail: the last records of all partitions together, in the order of their timestamps.
import { wholeNumber } from '../grammar/number.ts'
import { reachBroker } from '../reach.ts'
import type { Session } from '../session.ts'
import { UsageError } from '../usage-error.ts'
import { readOnce } from './bounded-reading.ts'
import { partitionsOf, printerOf, type ReadRecords } from './consume-options.ts'
import { type Target, targetsOf } from './consume-targets.ts'

export type TailOptions = { count?: string; partitions?: string; format?: string; json?: boolean }

const COUNT = 10
/** All of them are held. */
const COUNT_MAX = 100_000
/** Offsets without a record (compaction, markers) are made up for by so many times as many. */
const FARTHER = 8

export async function topicTail(
  session: Session,
  topic: string,
  options: TailOptions,
): Promise<void> {
  const count = options.count === undefined ? COUNT : wholeNumber('-n', options.count)
  if (count > COUNT_MAX)
    throw new UsageError(`-n ${count}: at most ${COUNT_MAX}; minikafka consume -o -N reads more`)
  const print = printerOf(session, options)
  const partitions = partitionsOf(options.partitions)
  await reachBroker(session)
  if (count === 0) return
  for (let reach = count; ; reach *= FARTHER) {
    const range = { from: { at: 'before-end', count: reach } } as const
    const targets = await session.ask(
      targetsOf(session, [topic], { range, untilEnd: true, partitions }),
    )
    const last = await lastOf(session, targets, count)
    session.signal.throwIfAborted()
    const isWhole = targets.every(({ from, end }) => end - from < reach)
    if (last.length < count && !isWhole) continue
    const out: Uint8Array[] = []
    for (const record of last) print(record, out)
    if (out.length > 0) await session.print(Buffer.concat(out))
    return
  }
}

async function lastOf(
  session: Session,
  targets: readonly Target[],
  count: number,
): Promise<ReadRecords[]> {
  let kept: Placed[] = []
  const reachedMs = new Map<number, number>()
  const cut = () => {
    kept = kept.sort(byTime).slice(-count)
  }
  await readOnce(session, {
    what: 'read',
    targets,
    take: (records) => {
      for (const record of records) kept.push(placed(record, reachedMs))
      if (kept.length > 2 * count) cut()
      return undefined
    },
  })
  cut()
  return kept.map(({ record }) => record)
}

/** `reachedMs`: the latest timestamp of its partition so far, so that the order of the log holds whatever timestamps say. */
type Placed = { readonly record: ReadRecords; readonly reachedMs: number }

function placed(record: ReadRecords, reachedMs: Map<number, number>): Placed {
  const { partition, timestamp } = record
  const latestMs = Math.max(timestamp, reachedMs.get(partition) ?? 0)
  reachedMs.set(partition, latestMs)
  return { record, reachedMs: latestMs }
}

function byTime(a: Placed, b: Placed): number {
  return (
    a.reachedMs - b.reachedMs ||
    a.record.partition - b.record.partition ||
    a.record.offset - b.record.offset
  )
}
