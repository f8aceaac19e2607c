import { expect, test } from 'vitest'
import { resolveClientOptions } from './client-options.ts'
import { checkOptions, integer, oneOf } from './options.ts'

type Sample = { lingerMs?: number; acks?: string }
const rules = { lingerMs: integer(0, 100), acks: oneOf('all', 'leader', 'none') }

test('an unknown key throws and names the nearest', () => {
  expect(() => checkOptions<Sample>('client.producer', { lingerMS: 5 }, rules)).toThrow(
    expect.objectContaining({
      name: 'INVALID_OPTION',
      path: 'lingerMS',
      message: expect.stringContaining(`'lingerMs'`),
    }),
  )
})

test('a key far from all others throws and lists what there is', () => {
  expect(() => checkOptions<Sample>('x', { zebra: 1 }, rules)).toThrow(/known are lingerMs, acks/)
})

test('keys of the prototype are unknown keys', () => {
  expect(() => checkOptions<Sample>('x', { toString: 1 }, rules)).toThrow(
    /there is no option 'toString'/,
  )
  expect(() => checkOptions<Sample>('x', JSON.parse('{"__proto__":1}'), rules)).toThrow(/__proto__/)
})

test('undefined counts as absent', () => {
  expect(checkOptions<Sample>('x', { lingerMs: undefined }, rules)).toEqual({ lingerMs: undefined })
  expect(checkOptions<Sample>('x', undefined, rules)).toEqual({})
})

test('a value out of range says what it must be', () => {
  expect(() => checkOptions<Sample>('x', { lingerMs: 101 }, rules)).toThrow(
    'x: lingerMs must be an integer, from 0 to 100',
  )
  expect(() => checkOptions<Sample>('x', { acks: 'lead' }, rules)).toThrow(/did you mean 'leader'/)
})

test('brokers are host:port, separated by commas or in a list, with 9092 by default', () => {
  expect(resolveClientOptions({ brokers: 'a:1, b ,[::1]:3' }).seeds).toEqual([
    { host: 'a', port: 1 },
    { host: 'b', port: 9092 },
    { host: '::1', port: 3 },
  ])
  expect(resolveClientOptions(undefined).seeds).toEqual([{ host: '127.0.0.1', port: 9092 }])
})

test('what is no address is refused', () => {
  for (const brokers of ['', 'a:0', 'a:70000', 'http://a:1', 'a b', []]) {
    expect(() => resolveClientOptions({ brokers }), String(brokers)).toThrow(
      /INVALID_OPTION|brokers/,
    )
  }
})

test('tls and auth are refused by name: this version has neither', () => {
  expect(() => resolveClientOptions({ tls: true } as object)).toThrow(/tls must be absent/)
})
