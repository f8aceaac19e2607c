import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MalformedValue } from './value-codec.ts'
import {
  brokerCodec,
  configCodec,
  type PartitionValue,
  partitionCodec,
  producerIdCodec,
  topicCodec,
} from './values.ts'

const ids = fc.array(fc.nat(2 ** 31 - 1), { maxLength: 4 })
const partitions: fc.Arbitrary<PartitionValue> = fc.record({
  replicas: ids,
  isr: ids,
  elr: ids,
  lastKnownElr: ids,
  lastKnownLeader: fc.option(fc.nat(), { nil: undefined }),
  leader: fc.integer({ min: -1, max: 9 }),
  leaderEpoch: fc.nat(),
  adding: ids,
  removing: ids,
  minIsr: fc.integer({ min: 1, max: 9 }),
  unclean: fc.boolean(),
})

describe('values', () => {
  test('a partition comes back as it was', () => {
    fc.assert(
      fc.property(partitions, (value) => {
        expect(partitionCodec.decode(partitionCodec.encode(value))).toEqual(value)
      }),
    )
  })

  test('a partition at rest is short: what is empty is not written', () => {
    const text = partitionCodec.encode({
      replicas: [1],
      isr: [1],
      elr: [],
      lastKnownElr: [],
      lastKnownLeader: undefined,
      leader: 1,
      leaderEpoch: 0,
      adding: [],
      removing: [],
      minIsr: 1,
      unclean: false,
    })
    expect(text).toBe('{"v":1,"r":[1],"i":[1],"l":1,"le":0,"m":1}')
  })

  test('fields that nobody here knows are kept on rewrite, whatever they are called (row 63)', () => {
    const text =
      '{"v":1,"next":1000,"later":{"deep":[1,null]},"__proto__":{"polluted":true},"constructor":"x"}'
    const value = producerIdCodec.decode(text)
    const rewritten = producerIdCodec.encode({ ...value, next: 2000 })
    expect(rewritten).toBe(text.replace('1000', '2000'))
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })

  test('settings and listeners may have any name', () => {
    const values = new Map([
      ['__proto__', 'a'],
      ['toString', 'b'],
    ])
    expect(configCodec.decode(configCodec.encode({ values })).values).toEqual(values)
    const broker = {
      incarnation: 'i',
      dirIds: ['d'],
      endpoints: new Map([['__proto__', { host: '', port: 0 }]]),
      rack: undefined,
      version: '0.1.0',
      leaseId: 'l',
      draining: false,
      previousEpoch: undefined,
    }
    expect(brokerCodec.decode(brokerCodec.encode(broker))).toEqual(broker)
  })

  test('a value of a newer version is read, and refused to be written over (row 63)', () => {
    const value = producerIdCodec.decode('{"v":2,"next":1000,"what":1}')
    expect(value).toMatchObject({ next: 1000, newerVersion: 2 })
    expect(() => producerIdCodec.encode({ ...value, next: 2000 })).toThrow(
      expect.objectContaining({ name: 'UNSUPPORTED_VERSION' }),
    )
  })

  test.each([
    ['not JSON', 'next'],
    ['a list', '[1]'],
    ['null', 'null'],
    ['no version', '{"next":1}'],
    ['a version that is text', '{"v":"1","next":1}'],
    ['a missing field', '{"v":1}'],
    ['a number as text', '{"v":1,"next":"1000"}'],
    ['a fraction', '{"v":1,"next":1.5}'],
    ['beyond 2^53', '{"v":1,"next":9007199254740993}'],
    ['negative', '{"v":1,"next":-1}'],
  ])('%s is malformed', (_what, text) => {
    expect(() => producerIdCodec.decode(text)).toThrow(MalformedValue)
  })

  test.each([
    '{"v":1,"r":[1,"2"],"l":1,"le":0,"m":1}',
    '{"v":1,"r":[-1],"l":1,"le":0,"m":1}',
    '{"v":1,"r":[1],"l":-2,"le":0,"m":1}',
    '{"v":1,"r":[1],"l":1,"le":0,"m":0}',
    '{"v":1,"r":[1],"l":1,"le":0,"m":1,"u":"yes"}',
  ])('%s is no partition', (text) => {
    expect(() => partitionCodec.decode(text)).toThrow(MalformedValue)
  })

  test('a topic whose settings are no texts, or whose state is unknown, is malformed', () => {
    const text =
      '{"v":1,"name":"t","partitions":1,"rf":1,"state":"live","minIsr":1,"cfg":{"a":"1"}}'
    expect(topicCodec.decode(text).config).toEqual(new Map([['a', '1']]))
    expect(() => topicCodec.decode(text.replace('"1"', '1'))).toThrow(MalformedValue)
    expect(() => topicCodec.decode(text.replace('live', 'dead'))).toThrow(MalformedValue)
  })
})
