import { expect, test } from 'vitest'
import { Account } from './account.ts'
import { Accumulator } from './accumulator.ts'
import type { Batch } from './batch.ts'
import { BufferPool } from './buffer-pool.ts'
import { Cohort } from './cohort.ts'
import type { ProducerContext } from './context.ts'
import { resolveProducerOptions } from './settings.ts'

const KIB = 1024

function accumulator(options: { maxBatchBytes: number; maxMessageBytes?: number }) {
  const settings = resolveProducerOptions({ maxBatchBytes: options.maxBatchBytes })
  const account = new Account(settings)
  const pool = new BufferPool(settings.maxBatchBytes, settings.maxBufferedBytes)
  // Sizes of the buffers that were taken.
  const taken: number[] = []
  const takes = {
    take: (size: number) => {
      const buffer = pool.take(size)
      taken.push(buffer.length)
      return buffer
    },
    give: (buffer: Buffer) => pool.give(buffer),
  }
  const turn = { monotonicMs: 5 }
  const cohort = new Cohort()
  // The rooms that an accumulator looks into, and no others.
  const context = {
    settings,
    account,
    pool: takes,
    turn,
    cohort: () => cohort,
  } as unknown as ProducerContext
  const events: string[] = []
  const closed: Batch[] = []
  const made = new Accumulator(
    context,
    { topic: 't', partition: 0 },
    {
      opened: () => events.push('opened'),
      closed: (batch) => {
        events.push('closed')
        closed.push(batch)
      },
      filled: () => events.push('filled'),
      dropped: (batch) => {
        events.push('dropped')
        batch.settle()
      },
    },
  )
  made.maxMessageBytes = options.maxMessageBytes ?? 1024 * KIB
  return { accumulator: made, account, pool, taken, events, closed }
}

test('records share the open batch, and its buffer grows with them', () => {
  const { accumulator: made, events, taken } = accumulator({ maxBatchBytes: 256 * KIB })
  const batches = new Set<Batch>()
  for (let count = 0; count < 200; count++)
    batches.add(made.append(1, null, 'x'.repeat(1000), undefined))
  expect(batches.size).toBe(1)
  expect(events).toEqual(['opened'])
  expect(taken.at(-1)).toBe(256 * KIB)
})

test('a hundred partitions with little data hold 16 KiB each', () => {
  const { accumulator: made, taken } = accumulator({ maxBatchBytes: 1024 * KIB })
  made.append(1, 'key', 'value', undefined)
  expect(taken).toEqual([16 * KIB])
})

test('a full batch is closed, and the next begins with a buffer as large', () => {
  const { accumulator: made, events, closed, taken } = accumulator({ maxBatchBytes: 64 * KIB })
  for (let count = 0; count < 70; count++) made.append(1, null, 'x'.repeat(1000), undefined)
  expect(events).toEqual(['opened', 'closed', 'filled', 'opened'])
  expect(closed[0]?.writer.sizeBytes).toBeLessThanOrEqual(64 * KIB)
  expect(closed[0]?.recordCount).toBeGreaterThan(60)
  expect(taken.at(-1)).toBe(64 * KIB)
})

test('a record larger than a batch goes alone', () => {
  const { accumulator: made, closed } = accumulator({
    maxBatchBytes: 16 * KIB,
    maxMessageBytes: 100 * KIB,
  })
  made.append(1, null, 'small', undefined)
  const large = made.append(1, null, 'x'.repeat(99 * KIB), undefined)
  const after = made.append(1, null, 'y'.repeat(500), undefined)
  expect(closed.map(({ recordCount }) => recordCount)).toEqual([1, 1])
  expect(closed[1]).toBe(large)
  expect(after).not.toBe(large)
})

test('a record above max.message.bytes is refused at once, by a byte', () => {
  const {
    accumulator: made,
    account,
    events,
  } = accumulator({ maxBatchBytes: 16 * KIB, maxMessageBytes: 32 * KIB })
  const overhead = 61 + 1 + 1 + 1 + 1 + 3 + 1 + 3
  made.append(0, null, 'x'.repeat(32 * KIB - overhead), undefined)
  expect(made.open?.writer.sizeBytes).toBe(32 * KIB)
  const before = account.bytes
  for (const size of [32 * KIB - overhead + 1, 10_000 * KIB]) {
    expect(() => made.append(0, null, 'x'.repeat(size), undefined)).toThrow(
      expect.objectContaining({
        name: 'MESSAGE_TOO_LARGE',
        outcome: 'not-written',
        details: { max: 32 * KIB },
      }),
    )
  }
  expect(account.bytes).toBe(before)
  expect(events.at(-1)).not.toBe('opened')
  expect(made.append(0, null, 'fine', undefined).recordCount).toBe(1)
})

test('the account is charged what the records take in the batch', () => {
  const { accumulator: made, account } = accumulator({ maxBatchBytes: 64 * KIB })
  for (let count = 0; count < 10; count++) made.append(1, 'k', 'v', [['h', 'x']])
  expect(account.bytes).toBe(made.open?.writer.sizeBytes)
  expect(made.open?.chargedBytes).toBe(account.bytes)
})
