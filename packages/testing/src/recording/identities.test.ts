// Records that say the same: who wrote which.
import { expect, test } from 'vitest'
import type { PolledPartition, SentEntry } from './entries.ts'
import { Identities } from './identities.ts'

let order = 0

function sent(
  content: string,
  outcome: SentEntry['outcome'],
  at: { partition?: number; offset?: number } = {},
): SentEntry {
  const moment = { order: order++, timeMs: 0 }
  return {
    kind: 'sent',
    process: 0,
    id: order,
    topic: 'orders',
    plain: false,
    content,
    began: moment,
    ended: moment,
    outcome,
    partition: at.partition,
    offset: at.offset,
  }
}

function polled(partition: number, ...records: [number, string][]): PolledPartition {
  return {
    topic: 'orders',
    partition,
    records: records.map(([offset, value]) => ({ offset, value })),
  }
}

/** By send, then by the places that were polled. */
function named(sends: readonly SentEntry[], reads: readonly PolledPartition[]) {
  const identities = new Identities(sends, reads)
  return {
    sends: sends.map((entry) => {
      const identity = identities.ofSend(entry)
      return `${identity?.partition} ${identity?.value}`
    }),
    places: reads.flatMap((read) => identities.ofRecords(read).map(({ value }) => value)),
  }
}

test('what is said once is itself', () => {
  const found = named([sent('a', 'ok', { partition: 1, offset: 0 })], [polled(1, [0, 'a'])])
  expect(found).toEqual({ sends: ['orders-1 a'], places: ['a'] })
})

test('acknowledged ones own their offsets', () => {
  const sends = [
    sent('paid', 'ok', { partition: 0, offset: 7 }),
    sent('paid', 'ok', { partition: 0, offset: 3 }),
  ]
  const found = named(sends, [polled(0, [3, 'paid'], [7, 'paid'])])
  expect(found.sends).toEqual(['orders-0 paid', 'orders-0 paid (2)'])
  expect(found.places).toEqual(['paid (2)', 'paid'])
})

test('what nobody owns belongs to one whose outcome is doubtful, wherever its partitioner sent it', () => {
  const sends = [sent('paid', 'ok', { partition: 0, offset: 0 }), sent('paid', 'info')]
  const found = named(sends, [polled(0, [0, 'paid']), polled(2, [5, 'paid'])])
  expect(found.sends).toEqual(['orders-0 paid', 'orders-2 paid (2)'])
  expect(found.places).toEqual(['paid', 'paid (2)'])
})

test('one that was refused is blamed only where nobody else may have written', () => {
  const refused = sent('paid', 'fail', { partition: 0 })
  const sends = [refused, sent('paid', 'info', { partition: 0 })]
  expect(named(sends, [polled(0, [0, 'paid'])]).places).toEqual(['paid (2)'])
  expect(named(sends, [polled(0, [0, 'paid'], [1, 'paid'])]).places).toEqual(['paid (2)', 'paid'])
})

test('where nobody is left it is the same record again', () => {
  const sends = [
    sent('paid', 'ok', { partition: 0, offset: 0 }),
    sent('paid', 'ok', { partition: 0, offset: 1 }),
  ]
  const found = named(sends, [polled(0, [0, 'paid'], [1, 'paid'], [2, 'paid'])])
  expect(found.places).toEqual(['paid', 'paid (2)', 'paid'])
})

test('a name that a record has already is no other record’s', () => {
  const sends = [
    sent('a', 'ok', { partition: 0, offset: 0 }),
    sent('a', 'ok', { partition: 0, offset: 1 }),
    sent('a (2)', 'ok', { partition: 0, offset: 2 }),
  ]
  expect(named(sends, []).sends).toEqual(['orders-0 a', 'orders-0 a (2)*', 'orders-0 a (2)'])
})

test('one that nobody saw and of which nobody knows where it went has no partition', () => {
  expect(named([sent('a', 'info')], []).sends).toEqual(['orders-? a'])
})
