// How far behind a group may be: in records, or in time. Enters: text as typed. Leaves: a bound, or a UsageError.
import type { PartitionLag } from '@minikafka/client'
import { parseDuration } from '../grammar/duration.ts'
import { UsageError } from '../usage-error.ts'

/** Further behind than that is a failure. */
export type Bound = { readonly records: number } | { readonly ms: number }

/** Without a unit: records. */
export function boundOf(max: string | undefined): Bound | undefined {
  if (max === undefined) return undefined
  if (/^\d{1,15}$/.test(max)) return { records: Number(max) }
  if (/^\d/.test(max)) return { ms: parseDuration(max) }
  throw new UsageError(`--max ${max}: expected a number of records, or a duration such as 5m`)
}

export function isBehind({ lag, lagMs = 0 }: PartitionLag, bound: Bound): boolean {
  return 'records' in bound ? lag > bound.records : lag > 0 && lagMs > bound.ms
}
