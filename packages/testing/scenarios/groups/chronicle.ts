// Looks through all that ever happened to the groups, as the log tells it: at every moment a partition has one owner at
// most, who commits is its owner, and positions go back by an administrator alone. A machine of its own, which knows
// nothing of the coordinator's code. Enters: decisions in order. Leaves: nothing, or the promise that was broken.
import type { GroupRecord } from '../../../coordinator/src/index.ts'
import { Violation } from '../stage/violation.ts'
import { signatureOf } from './observer.ts'
import type { Decision } from './offsets-log.ts'

type RecordOf<T extends GroupRecord['type']> = Extract<GroupRecord, { type: T }>
type Current = NonNullable<RecordOf<'Current'>['value']>

/** A group as its records so far have made it. */
class Life {
  readonly members = new Set<string>()
  readonly currents = new Map<string, Current>()
  readonly positions = new Map<string, number>()
}

export class Chronicle {
  readonly #isWhole: boolean
  readonly #groups = new Map<string, Life>()
  /** Numbers of commits that stand in the log, each with its place. */
  readonly commits = new Set<string>()
  rebalances = 0

  /** Not whole: records are missing between others, and only what stands in the end says something. */
  constructor({ isWhole }: { readonly isWhole: boolean }) {
    this.#isWhole = isWhole
  }

  /** Errors: Violation `two-owners`, `zombie-commit`, `commit-regression`. */
  decided(decision: Decision): void {
    const changed = new Set<Life>()
    for (const record of decision.records) {
      const group = this.#groups.get(record.groupId) ?? new Life()
      this.#groups.set(record.groupId, group)
      if (record.type === 'Offset') this.#position(group, record, decision)
      else if (record.type === 'Current') {
        if (record.value === null) group.currents.delete(record.memberId)
        else group.currents.set(record.memberId, record.value)
        changed.add(group)
      } else if (record.type === 'Member') {
        if (record.value === null) group.members.delete(record.memberId)
        else group.members.add(record.memberId)
      } else if (record.type === 'Group' && record.value !== null) this.rebalances++
    }
    if (!this.#isWhole) return
    for (const group of changed) checkOwners(group, decision)
  }

  positionOf(group: string, topicId: string, partition: number): number | undefined {
    return this.#groups.get(group)?.positions.get(`${topicId}:${partition}`)
  }

  #position(group: Life, record: RecordOf<'Offset'>, decision: Decision): void {
    const { groupId, topicId, partition, value } = record
    const key = `${topicId}:${partition}`
    if (value === null) {
      group.positions.delete(key)
      return
    }
    const { number, memberId, memberEpoch } = signatureOf(value.metadata)
    const what = `${groupId} ${key}: commit ${number} of ${value.offset} by ${memberId || 'an administrator'}`
    const before = group.positions.get(key)
    group.positions.set(key, value.offset)
    this.commits.add(`${number} ${key}`)
    if (!this.#isWhole) return
    if (memberEpoch < 0) {
      if (group.members.size === 0) return
      throw broken('zombie-commit', `${what}, and the group has members`, decision)
    }
    checkCommitter(group, { memberId, memberEpoch, key }, what, decision)
    if (before !== undefined && value.offset < before)
      throw broken('commit-regression', `${what} after ${before}`, decision)
  }
}

/** Who owned it all the time from when it asked until now. */
function checkCommitter(
  { currents }: Life,
  { memberId, memberEpoch, key }: { memberId: string; memberEpoch: number; key: string },
  what: string,
  decision: Decision,
): void {
  const current = currents.get(memberId)
  const sinceEpoch = current?.assigned.get(key) ?? current?.revoking.get(key)
  if (current === undefined || sinceEpoch === undefined)
    throw broken('zombie-commit', `${what}, which does not own it`, decision)
  if (sinceEpoch <= memberEpoch && memberEpoch <= current.epoch) return
  const { epoch } = current
  const epochs = `asked at epoch ${memberEpoch}, owns it since ${sinceEpoch}, is at ${epoch}`
  throw broken('zombie-commit', `${what}: ${epochs}`, decision)
}

function checkOwners({ currents }: Life, decision: Decision): void {
  const owners = new Map<string, string>()
  for (const [memberId, { assigned, revoking }] of currents) {
    for (const key of [...assigned.keys(), ...revoking.keys()]) {
      const other = owners.get(key)
      if (other !== undefined)
        throw broken('two-owners', `${key} belongs to ${other} and to ${memberId}`, decision)
      owners.set(key, memberId)
    }
  }
}

function broken(oracle: string, what: string, { partition, offset }: Decision): Violation {
  return new Violation(oracle, `${what} (__consumer_offsets-${partition} @ ${offset})`)
}
