import { nodeEnv } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { backoffMs } from './backoff.ts'

const retry = { minMs: 100, maxMs: 5000, factor: 2, jitter: 0.2 }

test('delays double from 100 ms, within a fifth either way, and never pass the bound', () => {
  const { random } = nodeEnv()
  for (const [failures, plainMs] of [
    [1, 100],
    [2, 200],
    [3, 400],
    [6, 3200],
  ] as const) {
    for (let round = 0; round < 50; round++) {
      const delayMs = backoffMs(retry, random, failures)
      expect(delayMs).toBeGreaterThanOrEqual(plainMs * 0.8)
      expect(delayMs).toBeLessThanOrEqual(plainMs * 1.2)
    }
  }
  for (const failures of [7, 100, 1e9])
    expect(backoffMs(retry, random, failures)).toBeLessThanOrEqual(5000)
})
