import { createWorld } from '@minikafka/testing'
import { expect, test } from 'vitest'
import { LiveConfig } from './config/index.ts'
import { DiskSpace } from './disk-space.ts'
import type { DataDirectory } from './log/index.ts'
import type { MetadataFollower } from './metadata.ts'
import type { Partitions, Space } from './partition/index.ts'

/** A disk of which the test says what is free, and what the broker does about it. */
async function watched(reserveBytes = '1000') {
  const world = createWorld({ seed: 1, clock: 'held' })
  const state = {
    freeBytes: 10_000,
    looks: 0,
    /** Retentions under way: each takes a minute. */
    running: 0,
    runningMost: 0,
    retentions: 0,
    goneOn: 0,
    spaces: [] as Space[],
    wrote: () => {},
  }
  const env = world.env('a')
  const directory: Partial<DataDirectory> = {
    freeBytes: async () => {
      state.looks++
      return state.freeBytes
    },
    totalBytes: async () => 100_000,
  }
  const partitions: Partial<Partitions> = {
    onWrite: (listener) => {
      state.wrote = listener
    },
    set space(space: Space) {
      state.spaces.push(space)
    },
    applyRetention: async () => {
      state.retentions++
      state.runningMost = Math.max(state.runningMost, ++state.running)
      await new Promise<void>((resolve) => env.clock.timer(60_000, resolve))
      state.running--
    },
  }
  const follower: Partial<MetadataFollower> = { goOn: () => state.goneOn++ }
  const rooms = {
    directory: directory as DataDirectory,
    partitions: partitions as Partitions,
    follower: follower as MetadataFollower,
  }
  const config = new LiveConfig({ flags: new Map([['disk.reserve.bytes', reserveBytes]]) })
  const space = new DiskSpace(env, rooms, config)
  await world.complete(space.start())
  return { world, state, space }
}

test('below twice the reserve retention runs early, below it as long as that lasts', async () => {
  const { world, state } = await watched()
  const steps: [number, Space, number][] = [
    [2_000, 'enough', 0],
    [1_999, 'low', 1],
    [1_500, 'low', 0],
    [999, 'full', 1],
    [499, 'spent', 1],
    [999, 'full', 1],
    [1_000, 'low', 0],
    [5_000, 'enough', 0],
  ]
  for (const [freeBytes, space, retentions] of steps) {
    state.freeBytes = freeBytes
    const before = state.retentions
    await world.clock.advance('3m')
    expect(state.spaces.at(-1), String(freeBytes)).toBe(space)
    expect(Math.min(1, state.retentions - before), String(freeBytes)).toBe(retentions)
  }
})

test('looks never overlap, however much is written while one lasts, and one timer is set', async () => {
  const { world, state, space } = await watched()
  state.freeBytes = 10
  for (let second = 0; second < 300; second++) {
    state.wrote()
    await world.clock.advance('1s')
    state.wrote()
  }
  expect(state.runningMost).toBe(1)
  expect(state.retentions).toBeGreaterThan(3)
  state.freeBytes = 10_000
  await world.clock.advance('2m')
  expect(world.clock.pending()).toHaveLength(1)
  space.stop()
  expect(world.clock.pending()).toEqual([])
})

test('a write is followed by a look within a second, an idle broker sleeps', async () => {
  const { world, state } = await watched()
  const before = state.looks
  await world.clock.advance('1m')
  expect(state.looks - before).toBe(6)
  state.wrote()
  await world.clock.advance('1s')
  expect(state.looks - before).toBe(7)
})

test('what waits for space goes on as soon as there is some', async () => {
  const { world, state } = await watched()
  state.freeBytes = 10
  await world.clock.advance('2m')
  const before = state.goneOn
  await world.clock.advance('2m')
  expect(state.goneOn).toBe(before)
  state.freeBytes = 1_200
  await world.clock.advance('2m')
  expect(state.goneOn).toBeGreaterThan(before)
})
