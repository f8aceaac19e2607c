import { expect, test } from 'vitest'
import { runGroups } from './groups/index.ts'
import { keptGroupSeeds } from './kept-seeds.ts'

const SEEDS = Array.from({ length: 16 }, (_, index) => index + 1)

for (const seed of SEEDS) {
  test(`every promise of groups is kept under fire: seed ${seed}`, async () => {
    await expectKept(seed)
  })
}

for (const { seed, found } of keptGroupSeeds) {
  test(`seed ${seed}, which found: ${found}`, async () => {
    await expectKept(seed)
  })
}

test('the same seed plays the same groups; what is left out does not shift the rest', async () => {
  const whole = await runGroups(2)
  expect((await runGroups(2, { less: { without: ['no such kind'] } })).hash).toBe(whole.hash)
  expect((await runGroups(3)).hash).not.toBe(whole.hash)
})

async function expectKept(seed: number): Promise<void> {
  const { violation, timeline } = await runGroups(seed)
  const told = [`npm run sim -- --groups --seed ${seed} --verbose`, ...timeline.slice(-40)]
  expect(violation, told.join('\n')).toBeUndefined()
}
