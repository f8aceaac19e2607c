// Long work leaves turns of the event loop to others, and knows how long it took by itself.
import type { Clock } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { Slices } from './slices.ts'

/** A clock that moves when the test says so; a turn of the loop takes 5 ms of it. */
function movedClock() {
  let nowMs = 0
  const clock: Clock = {
    wallMs: () => nowMs,
    monotonicMs: () => nowMs,
    timer: () => ({ cancel: () => undefined }),
    soon: (callback) => {
      nowMs += 5
      queueMicrotask(callback)
    },
  }
  return { clock, work: (ms: number) => (nowMs += ms) }
}

test('a slice is over after 2 ms, and what others did meanwhile is not its work', async () => {
  const { clock, work } = movedClock()
  const slices = new Slices(clock)
  let turns = 0
  for (let step = 0; step < 64_000; step++) {
    work(0.001)
    if (!slices.isOver) continue
    turns++
    await slices.next()
  }
  expect(turns).toBeGreaterThan(25)
  expect(turns).toBeLessThan(35)
  expect(slices.workedMs).toBeCloseTo(64, 6)
})

test('to wait for a disk is no work, and makes the slice no longer and no shorter', async () => {
  const { clock, work } = movedClock()
  const slices = new Slices(clock)
  work(1.9)
  await slices.away(Promise.resolve().then(() => work(100)))
  work(0.1)
  expect(slices.workedMs).toBeCloseTo(2, 6)
  const overs = Array.from({ length: 64 }, () => slices.isOver)
  expect(overs.filter(Boolean)).toHaveLength(1)
})
