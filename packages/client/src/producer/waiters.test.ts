import { MinikafkaError } from '@minikafka/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RecordMetadata } from './types.ts'
import { Waiters } from './waiters.ts'

const at = { topic: 't', partition: 3 }
const record = fc.record({ kind: fc.constantFrom('send', 'push', 'many'), timestamp: fc.nat(2) })

test('whatever mix of send, push and sendMany made a batch, each is told its own offset and timestamp', () => {
  fc.assert(
    fc.property(fc.array(record), (records) => {
      const waiters = new Waiters()
      const told = new Map<number, RecordMetadata>()
      const collector = {
        fulfil: (slot: number, metadata: RecordMetadata) => told.set(slot - 1000, metadata),
        reject() {},
      }
      records.forEach(({ kind, timestamp }, index) => {
        if (kind === 'send') {
          waiters.add(
            (metadata) => told.set(index, metadata as RecordMetadata),
            0,
            index,
            timestamp,
          )
        } else if (kind === 'many') waiters.add(collector, index + 1000, index, timestamp)
      })
      waiters.resolve(at, 50, -1)
      const expected = records.flatMap(({ kind, timestamp }, index) =>
        kind === 'push' ? [] : [[index, { ...at, offset: 50 + index, timestamp }] as const],
      )
      expect([...told].sort(([a], [b]) => a - b)).toEqual(expected)
    }),
  )
})

test('the time that the broker stamped wins', () => {
  const waiters = new Waiters()
  const told: unknown[] = []
  waiters.add((metadata) => told.push(metadata), 0, 0, 1)
  waiters.resolve(at, undefined, 99)
  expect(told).toEqual([{ ...at, offset: undefined, timestamp: 99 }])
})

test('a failed batch rejects all, and collectors by slot', async () => {
  const waiters = new Waiters()
  const rejected: unknown[] = []
  const sent = new Promise((resolve) => {
    waiters.add(resolve, 0, 0, 1)
  })
  waiters.add({ fulfil() {}, reject: (slot, { name }) => rejected.push(slot, name) }, 7, 1, 1)
  waiters.reject(new MinikafkaError('INVALID_TIMESTAMP'))
  await expect(sent).rejects.toMatchObject({ name: 'INVALID_TIMESTAMP' })
  expect(rejected).toEqual([7, 'INVALID_TIMESTAMP'])
})
