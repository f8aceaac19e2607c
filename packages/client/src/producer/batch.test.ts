import { nodeEnv } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { Batch, NO_STAMP } from './batch.ts'
import { BufferPool } from './buffer-pool.ts'
import { Cohort } from './cohort.ts'

const { compress } = nodeEnv()

function sealed() {
  const pool = new BufferPool(16_384, 2 ** 20)
  const batch = new Batch(pool, pool.take(1), 16_384, {
    order: 0,
    sinceMs: 0,
    cohort: new Cohort(),
  })
  batch.writer.tryAppend(1, null, 'a', undefined)
  batch.seal(compress, 'none', NO_STAMP)
  return { pool, batch }
}

test('31: a buffer returns to its pool only when its batch is settled and its write callback has fired', () => {
  const { pool, batch } = sealed()
  batch.lend()
  batch.settle()
  expect(pool.pooledBytes).toBe(0)
  batch.returned()
  expect(pool.pooledBytes).toBe(16_384)
})

test('31: the same where the callback comes first', () => {
  const { pool, batch } = sealed()
  batch.lend()
  batch.returned()
  expect(pool.pooledBytes).toBe(0)
  batch.settle()
  expect(pool.pooledBytes).toBe(16_384)
})

test('31: with two sends in flight the later callback counts', () => {
  const { pool, batch } = sealed()
  batch.lend()
  batch.lend()
  batch.returned()
  batch.settle()
  expect(pool.pooledBytes).toBe(0)
  batch.returned()
  expect(pool.pooledBytes).toBe(16_384)
})

test('a compressed batch gives its buffer back when it is sealed: other bytes travel', () => {
  const pool = new BufferPool(16_384, 2 ** 20)
  const batch = new Batch(pool, pool.take(1), 16_384, {
    order: 0,
    sinceMs: 0,
    cohort: new Cohort(),
  })
  batch.writer.tryAppend(1, null, 'a'.repeat(1000), undefined)
  batch.seal(compress, 'gzip', NO_STAMP)
  expect(pool.pooledBytes).toBe(16_384)
  expect(batch.bytes.length).toBeLessThan(200)
})

test('a batch of unknown outcome is never stamped anew', () => {
  const { batch } = sealed()
  batch.tainted = true
  expect(() => batch.restamp({ producerId: 1, producerEpoch: 1, sequence: 0 })).toThrow(
    'keeps its epoch',
  )
})

test('growing keeps what was written and returns the former buffer', () => {
  const pool = new BufferPool(65_536, 2 ** 20)
  const batch = new Batch(pool, pool.take(1), 65_536, {
    order: 0,
    sinceMs: 0,
    cohort: new Cohort(),
  })
  batch.writer.tryAppend(1, null, 'first', undefined)
  batch.grow(40_000, 65_536)
  batch.writer.tryAppend(1, null, 'x'.repeat(39_000), undefined)
  batch.seal(compress, 'none', NO_STAMP)
  expect(batch.bytes.toString('latin1')).toContain('first')
  expect(pool.pooledBytes).toBe(16_384)
  batch.settle()
  expect(pool.pooledBytes).toBe(16_384 + 65_536)
})
