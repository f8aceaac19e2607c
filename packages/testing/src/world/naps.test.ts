import type { Clock } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { createWorld } from './create-world.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

/** Sets itself again and again, and tells when. */
function tick(clock: Clock, everyMs: number, ticked: (atMs: number) => void): void {
  clock.timer(everyMs, () => {
    ticked(clock.monotonicMs())
    tick(clock, everyMs, ticked)
  })
}

test('while hours pass a timer that sets itself again fires once a nap, and on time in the first and last minute', async () => {
  const world = createWorld({ seed: 1 })
  const timesMs: number[] = []
  tick(world.env('a', { naps: true }).clock, 10_000, (atMs) => timesMs.push(atMs))
  await world.clock.advance('32h')
  expect(timesMs.slice(0, 6)).toEqual([1, 2, 3, 4, 5, 6].map((count) => count * 10_000))
  expect(timesMs.slice(-7)).toEqual(
    [6, 5, 4, 3, 2, 1, 0].map((count) => 32 * HOUR_MS - count * 10_000),
  )
  expect(timesMs.length).toBeLessThan(50)
  const gapsMs = timesMs.slice(1).map((atMs, index) => atMs - (timesMs[index] ?? 0))
  expect(Math.max(...gapsMs)).toBe(HOUR_MS)
  expect(world.clock.monotonicMs()).toBe(32 * HOUR_MS)
  world.close()
})

test('after a nap timers fire in the order of their times, and what follows from one comes before the next', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = createWorld({ seed })
    const { clock, disk } = world.env('a', { naps: true })
    const seen: string[] = []
    const cancelled = clock.timer(9 * MINUTE_MS, () => seen.push('cancelled'))
    const work = async () => {
      seen.push('third')
      for (let step = 0; step < 5; step++) await disk.list('/')
      seen.push('and what follows')
      cancelled.cancel()
    }
    clock.timer(8 * MINUTE_MS, () => void work())
    clock.timer(7 * MINUTE_MS, () => seen.push('second'))
    clock.timer(6 * MINUTE_MS, () => seen.push('first'))
    clock.timer(10 * MINUTE_MS, () => seen.push('fourth'))
    clock.timer(24 * HOUR_MS, () => seen.push('last'))
    await world.clock.advance('23h')
    expect(seen).toEqual(['first', 'second', 'third', 'and what follows', 'fourth'])
    world.close()
  }
})

test('others are on time, and nobody naps in the minute before and after', async () => {
  const world = createWorld({ seed: 1 })
  const [ticks, punctual]: [number[], number[]] = [[], []]
  tick(world.env('a', { naps: true }).clock, 1000, (atMs) => ticks.push(atMs))
  tick(world.env('b').clock, 7 * HOUR_MS, (atMs) => punctual.push(atMs))
  world.clock.timer(5 * HOUR_MS + 1, () => punctual.push(world.clock.monotonicMs()))
  await world.clock.advance('8h')
  expect(punctual).toEqual([5 * HOUR_MS + 1, 7 * HOUR_MS])
  for (const atMs of punctual)
    expect(ticks.filter((ms) => Math.abs(ms - atMs) <= MINUTE_MS).length).toBeGreaterThan(118)
  expect(ticks.length).toBeLessThan(600)
  world.close()
})

test('nobody naps while a quarter of an hour passes, nor while somebody waits for a condition', async () => {
  const world = createWorld({ seed: 1 })
  let count = 0
  tick(world.env('a', { naps: true }).clock, 1000, () => count++)
  await world.clock.advance('15m')
  expect(count).toBe(900)
  await world.until(() => count === 5000, { timeout: '2h' })
  expect(world.clock.monotonicMs()).toBe(5_000_000)
  const waiting = world.until(() => count === 10_000, { timeout: '2h' })
  await world.clock.advance('1h')
  expect(count).toBe(5000 + 3600)
  await waiting
  world.close()
})

test('a jumping clock has every timer on time', async () => {
  const world = createWorld({ seed: 1, clock: 'jumping' })
  let count = 0
  tick(world.env('a', { naps: true }).clock, 1000, () => count++)
  await world.clock.advance('1h')
  expect(count).toBe(3600)
  world.close()
})
