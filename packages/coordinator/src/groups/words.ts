// How members and times are named in reasons and refusals.
// Enters: facts. Leaves: words that a person understands.
import type { Subscriber } from './records.ts'

/** Reasons are kept in records: a list ends after so many items. */
const ITEMS_MAX = 5

export function memberName(memberId: string, { instanceId, clientId }: Subscriber): string {
  const client = clientId === '' ? '' : ` of client ${clientId}`
  return instanceId === null
    ? `member ${memberId}${client}`
    : `static member ${instanceId} (${memberId})${client}`
}

export function duration(ms: number): string {
  if (ms < 1_000) return `${ms} ms`
  if (ms < 120_000) return `${ms / 1_000} s`
  return `${Math.round(ms / 6_000) / 10} min`
}

export function enumeration(items: readonly string[], separator = '; '): string {
  const shown = items.slice(0, ITEMS_MAX).join(separator)
  const rest = items.length - ITEMS_MAX
  return rest > 0 ? `${shown}${separator}and ${rest} more` : shown
}
