// Random histories, random moments of compaction: what must stay stays, where it was, and only that may go which should.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Found, KeyedLog } from '../../../test/keyed-log.ts'
import type { Keyed } from '../../../test/log-bench.ts'

const RETENTION_MS = 3_600_000

type Step =
  | {
      readonly do: 'append'
      readonly records: readonly Keyed[]
      readonly codec: 'none' | 'gzip' | 'lz4'
    }
  | { readonly do: 'compact'; readonly mapBytes: number; readonly belowShare: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'restart'; readonly how: 'clean' | 'kill' | 'powerCut' }

const keyed = fc.tuple(
  fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom('a', 'b', 'c', 'd') },
    { weight: 1, arbitrary: fc.constant(null) },
  ),
  fc.oneof(
    { weight: 4, arbitrary: fc.string({ minLength: 1, maxLength: 120 }) },
    { weight: 1, arbitrary: fc.constant(null) },
  ),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      records: fc.array(keyed, { minLength: 1, maxLength: 6 }),
      codec: fc.constantFrom('none' as const, 'gzip' as const, 'lz4' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('compact' as const),
      mapBytes: fc.constantFrom(40, 80, 4096),
      belowShare: fc.constantFrom(0.5, 1, 1),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(60_000, RETENTION_MS),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('restart' as const),
      how: fc.constantFrom('clean' as const, 'kill' as const, 'powerCut' as const),
    }),
  },
)

/** What is known of a log whose keyless records and last values stay, and whose tombstones go in time. */
class Model {
  /** When the first pass that ended above a tombstone began, by offset. */
  readonly #passedMs = new Map<number, number>()

  passed(history: readonly Found[], firstDirtyOffset: number, nowMs: number): void {
    for (const { offset, key, value } of history)
      if (
        offset < firstDirtyOffset &&
        key !== null &&
        value === null &&
        !this.#passedMs.has(offset)
      )
        this.#passedMs.set(offset, nowMs)
  }

  mustBeThere(history: readonly Found[], nowMs: number): Found[] {
    const last = new Map(history.map(({ key, offset }) => [key, offset]))
    return history.filter(({ key, value, offset }) => {
      if (key === null) return true
      if (last.get(key) !== offset) return false
      return value !== null || nowMs - (this.#passedMs.get(offset) ?? nowMs) < RETENTION_MS
    })
  }
}

async function run(steps: readonly Step[], seed: number): Promise<void> {
  const log = await KeyedLog.make({ seed }, { segmentBytes: 400, deleteRetentionMs: RETENTION_MS })
  const { bench, history } = log
  const model = new Model()
  let cleanEnd = 0
  for (const step of steps) {
    if (step.do === 'append') await log.append(step.records, { compression: step.codec })
    else if (step.do === 'wait') await bench.world.clock.advance(step.ms)
    else if (step.do === 'restart') await bench.restart(step.how)
    else {
      const nowMs = bench.env.clock.wallMs()
      const below = Math.floor(history.length * step.belowShare)
      const report = await log.compact({ below, mapBytes: step.mapBytes })
      model.passed(history, report?.firstDirtyOffset ?? 0, nowMs)
      expect(report?.firstDirtyOffset).toBeLessThanOrEqual(Math.max(below, cleanEnd))
      cleanEnd = report?.firstDirtyOffset ?? cleanEnd
    }
    const found = await log.records()
    const must = model.mustBeThere(history, bench.env.clock.wallMs())
    expect(log.log.logEndOffset).toBe(history.length)
    // Each one at its offset, in order, as it was appended: it is a part of the history.
    const offsets = new Set(found.map(({ offset }) => offset))
    expect(found).toEqual(history.filter(({ offset }) => offsets.has(offset)))
    expect(must.filter(({ offset }) => !offsets.has(offset))).toEqual([])
    expect(resurrected(history, found)).toEqual([])
  }
}

/** Keys whose last record, as a reader finds it, is not their last one: an old value has come back to life. */
function resurrected(history: readonly Found[], found: readonly Found[]): (string | null)[] {
  const last = new Map(history.map(({ key, offset }) => [key, offset]))
  const seen = new Map(found.map(({ key, offset }) => [key, offset]))
  return [...seen].filter(([key, offset]) => last.get(key) !== offset).map(([key]) => key)
}

test('for any history and any moments of compaction', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), fc.nat(1000), run),
    { numRuns: 30, endOnFailure: true },
  )
})
