import { expect, test } from 'vitest'
import { type ProducerUse, ProducerUses } from './producer-uses.ts'

/** Two partitions that share one bound. */
class Remembered {
  readonly uses: ProducerUses
  readonly #known = new Map<string, ProducerUse>()

  constructor(countMax: number) {
    this.uses = new ProducerUses(() => countMax)
  }

  get names(): string[] {
    return [...this.#known.keys()].sort()
  }

  use(name: string, nowMs: number): void {
    this.uses.touch(this.#entry(name, nowMs), nowMs)
  }

  restore(name: string, lastUsedMs: number): void {
    this.uses.restore(this.#entry(name, lastUsedMs))
  }

  /** `a1`: producer 1 in partition a. */
  #entry(name: string, lastUsedMs: number): ProducerUse {
    const forget = (producerId: number) => {
      const key = `${name[0]}${producerId}`
      const use = this.#known.get(key)
      if (use !== undefined) this.uses.remove(use)
      this.#known.delete(key)
    }
    const known = this.#known.get(name)
    const entry = known ?? { owner: { forget }, producerId: Number(name.slice(1)), lastUsedMs }
    this.#known.set(name, entry)
    return entry
  }
}

test('room is made by the one that was silent longest, in whatever partition, and never by one used lately', () => {
  const all = new Remembered(3)
  for (const [name, nowMs] of [
    ['a1', 1],
    ['b1', 2],
    ['a2', 3],
    ['a1', 4],
  ] as const)
    all.use(name, nowMs)
  expect(all.uses.room(2)).toBe(false)
  expect(all.names).toEqual(['a1', 'a2', 'b1'])
  expect(all.uses.room(3)).toBe(true)
  expect(all.names).toEqual(['a1', 'a2'])
  expect(all.uses.room(0)).toBe(true)
})

test('a lower maximum makes no room before as many as need be are gone', () => {
  let countMax = 4
  const all = new Remembered(0)
  const uses = new ProducerUses(() => countMax)
  Object.assign(all, { uses })
  for (let id = 1; id <= 4; id++) all.use(`a${id}`, id)
  countMax = 2
  expect(uses.room(3)).toBe(false)
  expect(all.names).toEqual(['a3', 'a4'])
  expect(uses.room(4)).toBe(true)
})

test('a maximum far below what is in use evicts none that is used', () => {
  let countMax = 10
  const all = new Remembered(0)
  const uses = new ProducerUses(() => countMax)
  Object.assign(all, { uses })
  for (let id = 1; id <= 9; id++) all.use(`a${id}`, id)
  countMax = 2
  for (let id = 9; id >= 1; id--) all.use(`a${id}`, 20)
  expect(uses.count).toBe(9)
  expect(uses.room(20)).toBe(false)
  expect(uses.count).toBe(9)
})

test('expiry forgets all that were silent too long, and use makes young again', () => {
  const all = new Remembered(10)
  for (const [name, nowMs] of [
    ['a1', 10],
    ['b2', 20],
    ['a1', 30],
  ] as const)
    all.use(name, nowMs)
  all.uses.expire(30)
  expect(all.names).toEqual(['a1'])
})

test('after a start the oldest above the maximum are forgotten, whatever order the logs were opened in', () => {
  const all = new Remembered(3)
  for (const [name, lastUsedMs] of [
    ['a1', 40],
    ['a2', 10],
    ['b1', 30],
    ['b2', 20],
    ['c1', 5],
  ] as const)
    all.restore(name, lastUsedMs)
  all.uses.settle()
  expect(all.names).toEqual(['a1', 'b1', 'b2'])
  all.uses.expire(30)
  expect(all.names).toEqual(['a1', 'b1'])
})

test('a replay of very many stays within twice the maximum', () => {
  const all = new Remembered(100)
  for (let id = 0; id < 5_000; id++) {
    all.use(`a${id}`, 1)
    all.uses.bound()
    expect(all.uses.count).toBeLessThanOrEqual(200)
  }
  all.uses.settle()
  expect(all.uses.count).toBe(100)
  expect(all.names).toContain('a4999')
})
