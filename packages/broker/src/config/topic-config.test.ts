import { isMinikafkaError } from '@minikafka/protocol'
import { expect, test } from 'vitest'
import { resolveConfig } from './layers.ts'
import { checkTopicSetting, resolveTopic } from './topic-config.ts'

const { values } = resolveConfig({})

test("a topic's own value goes before the broker's", () => {
  const topic = resolveTopic(
    values,
    new Map([
      ['retention.ms', '1h'],
      ['flush', 'os'],
    ]),
  )
  expect([topic['retention.ms'], topic.flush, topic['segment.bytes']]).toEqual([
    3_600_000,
    'os',
    1024 ** 3,
  ])
})

test.each([
  ['retention.mss', '1', /did you mean retention.ms\?/],
  ['retention.ms', 'abc', /expected a time/],
  ['retention.ms', '-5', /expected a time/],
  ['cleanup.policy', 'compacted', /expected one of delete, compact, compact,delete/],
  ['min.cleanable.dirty.ratio', '1.1', /expected a share such as 0.5, 0 to 1/],
  ['__proto__', '1', /is not a setting of topics/],
])('%s=%s is INVALID_CONFIG with the key', (name, text, message) => {
  try {
    checkTopicSetting(name, text)
    expect.unreachable()
  } catch (error) {
    if (!isMinikafkaError(error)) throw error
    expect(error.name).toBe('INVALID_CONFIG')
    expect(error.details).toEqual({ key: name })
    expect(error.message).toMatch(message)
  }
})

test('a policy of two is one, in whatever order and however it is spaced', () => {
  for (const text of ['compact,delete', 'delete,compact', 'delete, compact', ' compact ,delete'])
    expect(checkTopicSetting('cleanup.policy', text)).toBe('compact,delete')
  expect(checkTopicSetting('min.cleanable.dirty.ratio', '0.05')).toBe(0.05)
})
