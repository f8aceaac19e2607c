import { describe, expect, test } from 'vitest'
import { checkEveryMs, overdue, type Progress } from './deadlines.ts'
import { SERVER_LIMITS } from './limits.ts'

const quiet: Progress = {
  stage: 'open',
  unsentSinceMs: undefined,
  unsentBytes: 0,
  partialSize: 0,
  frameBeganMs: 0,
  activeMs: 0,
  inFlight: 0,
  isPaused: false,
}

function at(nowMs: number, progress: Partial<Progress>) {
  return overdue({ ...quiet, ...progress }, SERVER_LIMITS, nowMs)
}

describe('the first frame', () => {
  test('may take 10 s from the connect, however many bytes have come', () => {
    for (const partialSize of [0, 3, 60_000]) {
      expect(at(10_000, { stage: 'waiting', partialSize })).toBeUndefined()
      expect(at(10_001, { stage: 'waiting', partialSize })).toEqual({
        failure: 'sent no first frame in time',
      })
    }
  })
})

describe('a frame', () => {
  test('may take 10 s and a second for each 64 kB', () => {
    const partialSize = 640_000
    expect(at(20_000, { partialSize })).toBeUndefined()
    expect(at(20_001, { partialSize })).toEqual({ failure: 'sent a frame too slowly' })
  })

  test('that we do not read is never late', () => {
    expect(at(1e9, { partialSize: 640_000, isPaused: true })).toBeUndefined()
  })
})

describe('an idle connection', () => {
  test('ends after 10 min', () => {
    expect(at(600_000, {})).toBeUndefined()
    expect(at(600_001, {})).toBe('idle')
  })

  test('is not idle while a request is in flight', () => {
    expect(at(1e9, { inFlight: 1 })).toBeUndefined()
  })
})

describe('a slow reader', () => {
  test('is cut off 60 s after it last took something', () => {
    expect(at(160_000, { unsentSinceMs: 100_000 })).toBeUndefined()
    expect(at(160_001, { unsentSinceMs: 100_000 })).toEqual({ failure: 'took no answer in time' })
  })

  test('has a second more for each 64 kB that wait for it', () => {
    const slow = { unsentSinceMs: 100_000, unsentBytes: 640_000 }
    expect(at(170_000, slow)).toBeUndefined()
    expect(at(170_001, slow)).toEqual({ failure: 'took no answer in time' })
  })

  test('is cut off in every stage, paused or not', () => {
    for (const stage of ['waiting', 'open', 'ending', 'ended'] as const) {
      expect(at(60_001, { stage, unsentSinceMs: 0, isPaused: true })).toHaveProperty('failure')
    }
  })
})

test('after FIN the peer has 10 s to close', () => {
  expect(at(10_000, { stage: 'ended' })).toBeUndefined()
  expect(at(10_001, { stage: 'ended' })).toBe('lingering')
})

test('requests in flight have no deadline here', () => {
  expect(at(1e9, { stage: 'ending', inFlight: 1 })).toBeUndefined()
})

test('deadlines are looked at once a second, more often where they are shorter', () => {
  expect(checkEveryMs(SERVER_LIMITS)).toBe(1000)
  expect(checkEveryMs({ ...SERVER_LIMITS, frameMs: 500 })).toBe(50)
  expect(checkEveryMs({ ...SERVER_LIMITS, frameMs: 1 })).toBe(10)
})
