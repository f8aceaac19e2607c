// How a member walks from what it has to what it shall have, a step per heartbeat (REPLICATION 2.13.3).
// Enters: where it is, its target, what it says it owns. Leaves: where it is then; the same object where nothing changes.
import type { PartitionKey } from './partitions.ts'
import type { Current, Holdings, Target } from './records.ts'

export type Way = {
  readonly target: Target
  readonly targetEpoch: number
  /** All that the member may still be working on; null: it does not say. */
  readonly owned: ReadonlySet<PartitionKey> | null
  /** No other member may be working on it. */
  readonly isFree: (key: PartitionKey) => boolean
}

export function reconcile(member: Current, way: Way): Current {
  switch (member.state) {
    case 'stable':
      return member.epoch === way.targetEpoch ? member : step(member, member.epoch, way)
    case 'unrevoked':
      return holdsAnyOf(way.owned, member.revoking) ? member : step(member, member.epoch + 1, way)
    case 'unreleased':
      return step(member, member.epoch, way)
  }
}

/** Revocation before assignment: a partition comes to its new owner after the old one gave it up, or is out. */
function step(
  member: Current,
  epoch: number,
  { target, targetEpoch, owned, isFree }: Way,
): Current {
  const keep = filter(member.assigned, (key) => target.has(key))
  const revoke = filter(member.assigned, (key) => !target.has(key))
  if (revoke.size > 0 && holdsAnyOf(owned, revoke))
    return at(member, { epoch, state: 'unrevoked', assigned: keep, revoking: revoke })
  const assigned = new Map(keep)
  let isBlocked = false
  for (const key of target) {
    if (keep.has(key)) continue
    if (isFree(key)) assigned.set(key, targetEpoch)
    else isBlocked = true
  }
  const state = isBlocked ? 'unreleased' : 'stable'
  return at(member, { epoch: targetEpoch, state, assigned, revoking: new Map() })
}

function holdsAnyOf(owned: ReadonlySet<PartitionKey> | null, revoking: Holdings): boolean {
  if (owned === null) return true
  for (const key of revoking.keys()) if (owned.has(key)) return true
  return false
}

function filter(holdings: Holdings, isWanted: (key: PartitionKey) => boolean): Holdings {
  return new Map([...holdings].filter(([key]) => isWanted(key)))
}

/** The previous epoch is the one that the member may still speak with, if this answer is lost. */
function at(member: Current, next: Omit<Current, 'previousEpoch'>): Current {
  if (next.epoch !== member.epoch) return { ...next, previousEpoch: member.epoch }
  const isSame =
    next.state === member.state &&
    haveSameKeys(next.assigned, member.assigned) &&
    haveSameKeys(next.revoking, member.revoking)
  return isSame ? member : { ...next, previousEpoch: member.previousEpoch }
}

export function haveSameKeys(a: Holdings, b: Holdings): boolean {
  if (a === b) return true
  if (a.size !== b.size) return false
  for (const key of a.keys()) if (!b.has(key)) return false
  return true
}
