import { expect, test } from 'vitest'
import { Batch } from './batch.ts'
import { BufferPool } from './buffer-pool.ts'
import { Cohort } from './cohort.ts'
import type { Identity, ProducerEpoch } from './identity.ts'
import { Sequences } from './sequences.ts'
import { Window } from './window.ts'

const pool = new BufferPool(16_384, 0)

/** Hands out `epochs`, one after the other. */
function identityOf(...epochs: ProducerEpoch[]): Identity {
  let at = 0
  const identity = {
    now: () => epochs[at],
    after: (former: ProducerEpoch) => (former === epochs[at] ? epochs[++at] : epochs[at]),
  }
  return identity as unknown as Identity
}

function batch(order: number): Batch {
  return new Batch(pool, pool.take(1), 16_384, { order, sinceMs: order, cohort: new Cohort() })
}

test('after 2^31 - 1 comes 0, also within a batch', () => {
  const sequences = new Sequences(identityOf({ producerId: 7, epoch: 0 }))
  const first = [2 ** 31 - 2, 1, 3, 5].map((records) => sequences.take(records).sequence)
  expect(first).toEqual([0, 2 ** 31 - 2, 2 ** 31 - 1, 2])
  expect(sequences.take(1).sequence).toBe(7)
})

test('under the same producer id a new epoch does not wait for what was given up; under a new id it does', () => {
  const window = new Window(5)
  const given = batch(0)
  window.add(given)
  window.depart(given)
  given.settle()
  const same = new Sequences(identityOf({ producerId: 7, epoch: 0 }, { producerId: 7, epoch: 1 }))
  const other = new Sequences(identityOf({ producerId: 7, epoch: 0 }, { producerId: 8, epoch: 0 }))
  for (const sequences of [same, other]) {
    sequences.take(1)
    sequences.lose()
  }
  expect(same.renew(window)).toBe(true)
  expect(other.renew(window)).toBe(false)
  window.land(given)
  expect(other.renew(window)).toBe(true)
  expect(other.take(1)).toEqual({ producerId: 8, producerEpoch: 0, sequence: 0 })
})

test('nothing is stamped anew while its bytes are lent', () => {
  const window = new Window(5)
  const refused = batch(0)
  window.add(refused)
  window.depart(refused)
  refused.lend()
  window.land(refused)
  window.requeue(refused)
  const sequences = new Sequences(
    identityOf({ producerId: 7, epoch: 0 }, { producerId: 7, epoch: 1 }),
  )
  sequences.take(1)
  sequences.lose()
  expect(sequences.renew(window)).toBe(false)
  refused.returned()
  expect(sequences.renew(window)).toBe(true)
})
