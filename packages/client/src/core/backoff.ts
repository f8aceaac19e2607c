// How long to wait before the next attempt: doubling, with jitter, up to a bound.
import type { Random } from '@minikafka/platform'

export type RetrySettings = {
  readonly minMs: number
  readonly maxMs: number
  readonly factor: number
  readonly jitter: number
}

/** Delay in ms before attempt `attempt` + 1; `attempt` counts failures so far, from 1. */
export function backoffMs(retry: RetrySettings, random: Random, attempt: number): number {
  // Above 2^60 the power is beyond any bound anyway, and stays finite.
  const exponent = Math.min(Math.max(attempt - 1, 0), 60)
  const plain = Math.min(retry.minMs * retry.factor ** exponent, retry.maxMs)
  const spread = 1 + retry.jitter * (2 * random.next() - 1)
  return Math.min(plain * spread, retry.maxMs)
}
