import { expect, test } from 'vitest'
import { keptSeeds } from './kept-seeds.ts'
import { runOneBroker } from './one-broker/index.ts'

const SEEDS = Array.from({ length: 24 }, (_, index) => index + 1)

for (const seed of SEEDS) {
  test(`every promise is kept under fire: seed ${seed}`, async () => {
    await expectKept(seed)
  })
}

for (const { seed, found } of keptSeeds) {
  test(`seed ${seed}, which found: ${found}`, async () => {
    await expectKept(seed)
  })
}

test('what is left out of a run does not shift the rest of it', async () => {
  const whole = await runOneBroker(5)
  const less = await runOneBroker(5, { less: { without: ['no such kind'] } })
  expect(less.hash).toBe(whole.hash)
  expect((await runOneBroker(6)).hash).not.toBe(whole.hash)
})

async function expectKept(seed: number): Promise<void> {
  const { violation, timeline } = await runOneBroker(seed)
  const told = [`npm run sim -- --seed ${seed} --verbose`, ...timeline.slice(-40)].join('\n')
  expect(violation, told).toBeUndefined()
}
