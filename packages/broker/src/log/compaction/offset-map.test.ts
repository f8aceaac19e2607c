import { nodeEnv } from '@minikafka/platform'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OffsetMap, SLOT_BYTES, SPAN_MAX } from './offset-map.ts'

const { random } = nodeEnv()

function put(map: OffsetMap, key: string, offset: number): boolean {
  const bytes = Buffer.from(key)
  return map.put(bytes, 0, bytes.length, offset)
}

function get(map: OffsetMap, key: string): number {
  const bytes = Buffer.from(key)
  return map.get(bytes, 0, bytes.length)
}

test('it says what a map of keys to offsets says, until it is full', () => {
  const key = fc.string({ maxLength: 3, unit: fc.constantFrom('a', 'b', 'c', 'd') })
  fc.assert(
    fc.property(
      fc.array(fc.tuple(key, fc.integer({ min: 1, max: 1000 })), { maxLength: 200 }),
      fc.integer({ min: 2, max: 120 }),
      (puts, slots) => {
        const map = new OffsetMap(random, slots * SLOT_BYTES)
        const model = new Map<string, number>()
        let offset = 10_000_000_000
        map.begin(offset)
        for (const [text, step] of puts) {
          offset += step
          const fits = model.has(text) || model.size < map.countMax
          expect(put(map, text, offset)).toBe(fits)
          if (fits) model.set(text, offset)
        }
        expect(map.count).toBe(model.size)
        for (const [text] of puts) expect(get(map, text)).toBe(model.get(text) ?? -1)
      },
    ),
  )
})

test('it takes the memory that it was given, and no more', () => {
  const map = new OffsetMap(random, 20_000)
  expect(map.bytes).toBe(20_000)
  expect(map.countMax).toBe(750)
  for (let index = 0; index < 2000; index++) put(map, `key ${index}`, index)
  expect(map.count).toBe(750)
  expect(map.bytes).toBe(20_000)
  expect(new OffsetMap(random, OffsetMap.bytesFor(1000)).countMax).toBeGreaterThanOrEqual(1000)
})

test('begin forgets all', () => {
  const map = new OffsetMap(random, 2_000)
  put(map, 'a', 1)
  map.begin(500)
  expect([map.count, get(map, 'a')]).toEqual([0, -1])
  put(map, 'a', 500)
  expect(get(map, 'a')).toBe(500)
})

test('offsets reach over the whole span', () => {
  const map = new OffsetMap(random, 2_000)
  map.begin(7)
  put(map, 'first', 7)
  put(map, 'last', 7 + SPAN_MAX)
  expect([get(map, 'first'), get(map, 'last')]).toEqual([7, 7 + SPAN_MAX])
  expect(() => put(map, 'beyond', 8 + SPAN_MAX)).toThrow(/span/)
})
