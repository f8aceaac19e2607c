import { createWorld, type World } from '@minikafka/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TopicPatterns } from './topic-patterns.ts'

let world: World
let names: string[]
let patterns: TopicPatterns

beforeEach(() => {
  world = createWorld({ seed: 1 })
  names = ['orders-us', 'orders-eu', 'orders', 'constructor', '__proto__x']
  patterns = new TopicPatterns(world.env('broker').clock, () => names)
})

afterEach(() => world.close())

test.each([
  ['orders-.*', ['orders-eu', 'orders-us']],
  ['orders', ['orders']],
  ['^orders$', ['orders']],
  ['(orders|constructor)', ['constructor', 'orders']],
  ['ORDERS', []],
  ['(?i)ORDERS', ['orders']],
  ['', []],
])('%j matches whole names, in name order: %j', (expression, expected) => {
  expect(patterns.matching(expression)).toEqual(expected)
  expect(patterns.matching(expression)).toEqual(expected)
})

test.each([
  ['(', /missing closing/],
  ['(?=orders)', /Perl/],
  ['(a)\\1', /escape/],
  ['a'.repeat(257), /257 characters, the most is 256/],
  ['(((x{10}){10}){10})', /simpler/],
  ['([a-z]?){999}', /simpler/],
  ['x{1001}', /repeat/],
])('%j is refused with what is wrong', (expression, why) => {
  expect(() => patterns.matching(expression)).toThrow(
    expect.objectContaining({
      name: 'INVALID_REGULAR_EXPRESSION',
      message: expect.stringMatching(why) as string,
    }),
  )
})

test('an expression that drives others into exponential time is accepted', () => {
  names = [`${'a'.repeat(248)}!`]
  expect(patterns.matching('(a+)+$')).toEqual([])
  expect(patterns.matching('(a|a)*b')).toEqual([])
})

test('topics that come and go are matched without looking at the others again', () => {
  let looked = 0
  const clock = world.env('broker').clock
  patterns = new TopicPatterns(clock, () => {
    looked++
    return names
  })
  patterns.matching('orders-.*')
  patterns.changed(['orders-asia', 'other'], new Set(['orders-us']))
  expect(patterns.matching('orders-.*')).toEqual(['orders-asia', 'orders-eu'])
  expect(looked).toBe(1)
})

/** A clock by which each look at it takes so long. */
function slowClock(stepMs: () => number) {
  let nowMs = 0
  return {
    ...world.env('broker').clock,
    monotonicMs: () => {
      nowMs += stepMs()
      return nowMs
    },
  }
}

test('an expression that takes too long is refused; one that was accepted before has more time', () => {
  let stepMs = 60
  patterns = new TopicPatterns(
    slowClock(() => stepMs),
    () => names,
  )
  expect(() => patterns.matching('orders-.*')).toThrow(
    expect.objectContaining({
      name: 'INVALID_REGULAR_EXPRESSION',
      message: expect.stringMatching(/too long/) as string,
    }),
  )
  expect(patterns.matching('orders-.*', true)).toEqual(['orders-eu', 'orders-us'])
  expect(patterns.matching('orders-.*')).toEqual(['orders-eu', 'orders-us'])
  stepMs = 600
  expect(() => patterns.matching('orders.*', true)).toThrow(/too long/)
})

test('topics that come are matched at once as long as there is time; the rest is looked at when asked for', () => {
  let stepMs = 0
  patterns = new TopicPatterns(
    slowClock(() => stepMs),
    () => names,
  )
  for (const expression of ['orders-.*', 'orders.*', 'o.*']) patterns.matching(expression)
  stepMs = 150
  names.push('orders-asia')
  patterns.changed(['orders-asia'], new Set())
  expect(patterns.count).toBe(1)
  stepMs = 0
  expect(patterns.matching('orders-.*')).toEqual(['orders-asia', 'orders-eu', 'orders-us'])
  expect(patterns.matching('o.*')).toEqual(['orders', 'orders-asia', 'orders-eu', 'orders-us'])
})

test('what is kept is bounded; the least recently used goes', () => {
  patterns = new TopicPatterns(world.env('broker').clock, () => names, 100_000)
  for (let index = 0; index < 100; index++) patterns.matching(`orders-.*|${index}`)
  expect(patterns.count).toBeGreaterThan(10)
  expect(patterns.count).toBeLessThan(50)
  expect(patterns.matching('orders-.*')).toHaveLength(2)
})
