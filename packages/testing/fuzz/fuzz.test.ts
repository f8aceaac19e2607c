// Every test run replays the kept corpus and feeds a few thousand inputs; `npm run fuzz` feeds as many as it is told.
import { expect, test } from 'vitest'
import { keptInputs } from './corpus.ts'
import { replay, runTarget, type Tally } from './run-target.ts'
import { Finding, type Session, type Target } from './target.ts'
import { targets } from './targets/index.ts'

/** In thousandths of a target's share: about three thousand inputs in all. */
const INPUTS = 3000
const SEED = 1

test.each(targets)('$name: the kept corpus finds nothing', async (target) => {
  const kept = keptInputs(target.name)
  const tally = await replay(
    target,
    kept.map(({ input }) => input),
  )
  expect(tally.found).toEqual([])
  expect(tally.inputs).toBe(kept.length)
})

test.each(targets)('$name: new inputs find nothing', async (target) => {
  const count = Math.ceil((INPUTS * target.share) / 1000)
  const tally = await runTarget(target, { seed: SEED, from: 0, count })
  expect(tally.found).toEqual([])
  expect(tally.accepted).toBeGreaterThan(0)
  expect(tally.refused.size).toBeGreaterThan(0)
})

/** Takes what is longer than `limit` and breaks at a zero. */
function planted(limit: number): Target & { closed: number } {
  const session: Session = {
    feed: (input) => {
      if (input.includes(0)) throw new Error('a crash')
      if (input.length > limit) throw new Finding('too long')
      return input.length === limit ? 'accepted' : 'too short'
    },
    check: async () => {},
    close: async () => {
      target.closed++
    },
  }
  const target = {
    name: 'planted',
    share: 0,
    sessionSize: 10,
    checkEvery: 5,
    rssBytesMax: 0,
    closed: 0,
    seeds: async () => [],
    generate: (dice: Parameters<Target['generate']>[0]) => dice.bytes(1 + dice.below(limit + 1)),
    open: async () => session,
  }
  return target
}

test('a crash is counted with its input, and the run goes on in a new session', async () => {
  const target = planted(3)
  const tally = await replay(target, [
    Buffer.of(1),
    Buffer.of(0),
    Buffer.alloc(4, 1),
    Buffer.alloc(3, 1),
  ])
  expect(tally).toMatchObject({ inputs: 4, accepted: 1, refused: new Map([['too short', 1]]) })
  expect(tally.found.map(({ index, error }) => [index, String(error)])).toEqual([
    [1, 'Error: a crash'],
    [2, 'Finding: too long'],
  ])
  expect(target.closed).toBe(3)
})

test('the same numbers make the same inputs, whatever ran before them', async () => {
  const inputsOf = async (from: number, count: number) => {
    const began: number[] = []
    const tally = await runTarget(
      planted(200),
      { seed: 7, from, count },
      {
        began: (index) => began.push(index),
      },
    )
    return { began, found: tally.found.map(({ index, input }) => [index, input?.toString('hex')]) }
  }
  const [whole, half] = [await inputsOf(0, 40), await inputsOf(20, 20)]
  expect(half.began).toEqual(whole.began.slice(20))
  expect(half.found.length).toBeGreaterThan(0)
  expect(half.found).toEqual(whole.found.filter(([index]) => Number(index) >= 20))
})

test('with many findings a run ends early', async () => {
  const inputs = Array.from({ length: 100 }, () => Buffer.of(0))
  const tally: Tally = await replay(planted(3), inputs)
  expect(tally.inputs).toBe(20)
})
