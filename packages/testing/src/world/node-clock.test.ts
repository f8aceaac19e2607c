import { sleep } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { createWorld } from './create-world.ts'

const START_MS = Date.UTC(2026, 0, 1)
const HOUR_MS = 3_600_000

test('a wall clock that jumps moves for its node alone, and neither the monotonic clock nor a timer sees it', async () => {
  const world = createWorld({ seed: 1 })
  const [a, b] = [world.env('a'), world.env('b')]
  let fired = false
  a.clock.timer(1000, () => {
    fired = true
  })
  world.clockOf('a').jump('1h')
  expect([a.clock.wallMs(), b.clock.wallMs()]).toEqual([START_MS + HOUR_MS, START_MS])
  expect([a.clock.monotonicMs(), fired]).toEqual([0, false])
  world.clockOf('a').jump('-2h')
  expect(a.clock.wallMs()).toBe(START_MS - HOUR_MS)
  await world.clock.advance('1s')
  expect(fired).toBe(true)
  world.clockOf('a').heal()
  expect(a.clock.wallMs()).toBe(START_MS + 1000)
  world.close()
})

test('a jumped clock is still wrong when the process starts again; files are stamped by it', async () => {
  const world = createWorld({ seed: 1 })
  world.clockOf('a').jump('1h')
  world.kill('a')
  const { clock, disk, logger } = world.env('a')
  expect(clock.wallMs()).toBe(START_MS + HOUR_MS)
  await disk.replaceFile('/a', Buffer.from('x'))
  expect((await disk.stat('/a'))?.modifiedMs).toBe(START_MS + HOUR_MS)
  logger.info('now')
  expect(JSON.parse(world.logs().at(-1)?.text ?? '').time).toBe(START_MS + HOUR_MS)
  world.close()
})

test('all time of a node that drifts runs fast or slow, its timers too', async () => {
  for (const ppm of [500, -500]) {
    const world = createWorld({ seed: 1 })
    const { clock } = world.env('a')
    await world.clock.advance('1h')
    world.clockOf('a').drift(ppm)
    const startMs = world.clock.monotonicMs()
    await world.complete(sleep(clock, HOUR_MS), { timeout: '2h' })
    const tookMs = world.clock.monotonicMs() - startMs
    expect(tookMs).toBeCloseTo(HOUR_MS / (1 + ppm / 1e6), 3)
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(2 * HOUR_MS)
    expect(clock.wallMs()).toBeCloseTo(START_MS + 2 * HOUR_MS, -1)
    world.clockOf('a').heal()
    expect(clock.wallMs()).toBeCloseTo(world.clock.wallMs(), -1)
    world.close()
  }
})

test('a timer is never early where the clock began to run slow under it', async () => {
  const world = createWorld({ seed: 1 })
  const { clock } = world.env('a')
  let firedMs: number | undefined
  clock.timer(HOUR_MS, () => {
    firedMs = clock.monotonicMs()
  })
  world.clockOf('a').drift(-500)
  await world.clock.advance('1h')
  expect(firedMs).toBeUndefined()
  await world.clock.advance('2s')
  expect(firedMs).toBeGreaterThanOrEqual(HOUR_MS)
  world.close()
})
