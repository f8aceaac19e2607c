import { expect, test } from 'vitest'
import { resolveProducerOptions } from './settings.ts'

test('the defaults are the safe ones', () => {
  expect(resolveProducerOptions(undefined)).toMatchObject({
    acks: -1,
    idempotent: true,
    lingerMs: 5,
    maxBatchBytes: 2 ** 20,
    maxBufferedBytes: 32 * 2 ** 20,
    highWaterBytes: 8 * 2 ** 20,
    lowWaterBytes: 4 * 2 ** 20,
    maxInFlight: 5,
    onFull: 'wait',
    deliveryTimeoutMs: 120_000,
    compression: 'none',
  })
})

test('other acks, or a wider window, turn idempotence off', () => {
  expect(resolveProducerOptions({ acks: 'leader' }).idempotent).toBe(false)
  expect(resolveProducerOptions({ acks: 'none' }).idempotent).toBe(false)
  expect(resolveProducerOptions({ maxInFlight: 6 }).idempotent).toBe(false)
})

test('where idempotence was asked for, they are refused', () => {
  expect(() => resolveProducerOptions({ idempotent: true, acks: 'leader' })).toThrow(
    expect.objectContaining({ name: 'INVALID_OPTION', path: 'acks' }),
  )
  expect(() => resolveProducerOptions({ idempotent: true, maxInFlight: 6 })).toThrow(
    expect.objectContaining({ name: 'INVALID_OPTION', path: 'maxInFlight' }),
  )
})

test('unknown options name the nearest', () => {
  expect(() => resolveProducerOptions({ compresion: 'lz4' } as object)).toThrow(
    /did you mean 'compression'/,
  )
  expect(() => resolveProducerOptions({ compression: 'lz5' as 'lz4' })).toThrow(
    /did you mean 'lz4'/,
  )
})

test('transactions are refused by name', () => {
  expect(() => resolveProducerOptions({ transactionalId: 'x' } as object)).toThrow(
    /no transactions/,
  )
})
