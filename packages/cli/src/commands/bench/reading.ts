// The consuming side of a bench. Enters: partitions and where to begin. Leaves: batches, until they were enough.
import type { ConsumerRecord, ConsumerTuning } from '@minikafka/client'
import type { Session } from '../../session.ts'

export type Part = { readonly topic: string; readonly partition: number; readonly start: number }
export type Records = readonly ConsumerRecord<string>[]

/** The partitions of one client of several: every n-th. */
export function shareOf(parts: readonly Part[], index: number, clients: number): Part[] {
  return parts.filter((_, at) => at % clients === index)
}

/** Hands batches to `take` until that returns false, or `signal` aborts. One client, one set of connections. */
export async function read(
  session: Session,
  parts: readonly Part[],
  signal: AbortSignal,
  take: (partition: number, records: Records) => boolean,
): Promise<void> {
  if (parts.length === 0) return
  const tuning = session.part === 'consumer' ? (session.partOptions as ConsumerTuning) : {}
  const consumer = session.another().consumer({ ...tuning, assign: parts })
  try {
    for await (const { partition, records } of consumer.batches({ signal }))
      if (!take(partition, records)) return
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
