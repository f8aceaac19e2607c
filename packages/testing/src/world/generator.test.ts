import { expect, test } from 'vitest'
import { Generator } from './generator.ts'

const drawn = (generator: Generator, count = 20) =>
  Array.from({ length: count }, () => generator.uint32())

test('the same seed and name give the same numbers, any other seed or name gives others', () => {
  const numbers = drawn(new Generator(42, 'disk a'))
  expect(drawn(new Generator(42, 'disk a'))).toEqual(numbers)
  for (const other of [
    new Generator(43, 'disk a'),
    new Generator(42, 'disk b'),
    new Generator(42 + 2 ** 32, 'disk a'),
  ]) {
    expect(drawn(other).filter((number) => numbers.includes(number))).toEqual([])
  }
})

test('numbers spread evenly below their bound', () => {
  const dice = new Generator(7, 'dice')
  const counts = new Array<number>(10).fill(0)
  for (let draw = 0; draw < 100_000; draw++) {
    const number = dice.below(10)
    counts[number] = (counts[number] as number) + 1
  }
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500)
})
