import { MinikafkaError } from '@minikafka/protocol'
import { expect, test } from 'vitest'
import type { Core } from '../core/index.ts'
import { Identity } from './identity.ts'

test('what nobody foresaw is told to who waits, and the next one asks again', async () => {
  const answers = [
    () => Promise.reject(new TypeError('a bug')),
    () => Promise.resolve({ errorCode: 0, errorMessage: null, producerId: 7, producerEpoch: 0 }),
  ]
  const env = { clock: { monotonicMs: () => 0 } }
  const core = { env, call: () => answers.shift()?.() } as unknown as Core
  const told: (MinikafkaError | 'changed')[] = []
  const identity = new Identity(core, new AbortController().signal, {
    changed: () => told.push('changed'),
    refused: (error) => told.push(error),
  })
  expect(identity.now()).toBeUndefined()
  await expect.poll(() => told).toMatchObject([{ name: 'UNKNOWN_SERVER_ERROR' }])
  expect(identity.now()).toBeUndefined()
  await expect.poll(() => told.at(-1)).toBe('changed')
  expect(identity.now()).toEqual({ producerId: 7, epoch: 0 })
})

test('a producer that is closed while it asks says nothing of it', async () => {
  const closing = new AbortController()
  const warnings: unknown[] = []
  const env = { clock: { monotonicMs: () => 0 } }
  const call = async () => {
    closing.abort(new MinikafkaError('BROKER_UNREACHABLE', { message: 'the producer is closed' }))
    throw closing.signal.reason
  }
  const logger = { warn: (...about: unknown[]) => warnings.push(about) }
  const core = { env, call, logger, backoffMs: () => 0 } as unknown as Core
  const told: unknown[] = []
  const identity = new Identity(core, closing.signal, {
    changed: () => told.push('changed'),
    refused: (error) => told.push(error),
  })
  expect(identity.now()).toBeUndefined()
  await expect.poll(() => closing.signal.aborted && identity.trouble()).toBeUndefined()
  expect({ warnings, told }).toEqual({ warnings: [], told: [] })
})
