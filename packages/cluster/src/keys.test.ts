import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  brokerConfigKey,
  brokerKey,
  brokerStatusKey,
  parseKey,
  partitionKey,
  topicKey,
  topicNameKey,
} from './keys.ts'

const TOPIC_ID = '5b3c0a6e-7f44-4f51-9d7a-0f2b6f1f8f10'

describe('keys', () => {
  test.each([
    ['meta', { kind: 'meta' }],
    ['ctrl', { kind: 'controller' }],
    ['pid', { kind: 'producerId' }],
    ['cfg/cluster', { kind: 'clusterConfig' }],
    [brokerKey(0), { kind: 'broker', brokerId: 0 }],
    [brokerStatusKey(2147483647), { kind: 'brokerStatus', brokerId: 2147483647 }],
    [brokerConfigKey(7), { kind: 'brokerConfig', brokerId: 7 }],
    [topicKey(TOPIC_ID), { kind: 'topic', topicId: TOPIC_ID }],
    [topicNameKey('a.b_c-d'), { kind: 'topicName', name: 'a.b_c-d' }],
    [topicNameKey('__proto__'), { kind: 'topicName', name: '__proto__' }],
    [partitionKey(TOPIC_ID, 12), { kind: 'partition', topicId: TOPIC_ID, partition: 12 }],
  ])('%s is read back', (key, parsed) => {
    expect(parseKey(key)).toEqual(parsed)
  })

  test.each([
    '',
    'b',
    'b/',
    'b/01',
    'b/-1',
    'b/1e3',
    'b/0x10',
    'b/ 1',
    'b/2147483648',
    'b/1/2',
    'p/x',
    'p/x/',
    'p/x/1.0',
    'p/x/1/2',
    'cfg/broker/x',
    'cfg/other/1',
    '__proto__',
    'constructor/1',
    'job/1',
  ])('%j is no key of ours, or of a later version', (key) => {
    expect(parseKey(key)).toBeUndefined()
  })

  test('any text is parsed or left alone', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseKey(text)))
  })
})
