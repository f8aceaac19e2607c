import { expect, test } from 'vitest'
import { createWorld } from './create-world.ts'

const SEEDS = Array.from({ length: 40 }, (_, index) => index + 1)

test('a point is alive in one run and not in another, for all nodes alike, and counted', () => {
  let aliveCount = 0
  for (const seed of SEEDS) {
    const world = createWorld({ seed, buggify: true })
    let takenCount = 0
    for (const node of ['a', 'b']) {
      const { random } = world.env(node)
      for (let time = 0; time < 100; time++) if (random.buggify('retry', 0.5)) takenCount++
    }
    const [point, ...others] = world.buggifyPoints()
    expect(others).toEqual([])
    expect(point).toMatchObject({ name: 'retry', askedCount: 200, takenCount })
    expect(point?.alive).toBe(takenCount > 0)
    if (point?.alive) aliveCount++
    world.close()
  }
  expect(aliveCount).toBeGreaterThan(3)
  expect(aliveCount).toBeLessThan(20)
})

test('a world that was not asked for it takes no point', () => {
  const world = createWorld({ seed: 1 })
  const { random } = world.env('a')
  expect(SEEDS.some((seed) => random.buggify(`point ${seed}`, 1))).toBe(false)
  expect(world.buggifyPoints()).toEqual([])
  world.close()
})
