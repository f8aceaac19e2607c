import { createWorld, type World } from '@minikafka/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { GroupClock } from './group-clock.ts'

let world: World
let time: GroupClock
let set: number

beforeEach(() => {
  world = createWorld({ seed: 1 })
  time = new GroupClock(world.env('broker').clock)
  set = 0
  time.onSet(() => set++)
})

afterEach(() => world.close())

test('it reads as the wall clock and runs as time does', async () => {
  const beganMs = time.nowMs()
  await world.clock.advance('1h')
  expect([time.nowMs() - beganMs, set]).toEqual([3_600_000, 0])
})

test('a small step of the wall clock is not followed, a large one is told', async () => {
  const beganMs = time.nowMs()
  world.clockOf('broker').jump('500ms')
  expect([time.nowMs() - beganMs, set]).toEqual([0, 0])
  world.clockOf('broker').jump('-1h')
  expect([time.nowMs() - beganMs, set]).toEqual([500 - 3_600_000, 1])
  expect(set).toBe(1)
})
